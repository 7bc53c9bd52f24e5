//! Texts that nobody guesses.

/// 128 bits of the system's randomness, as 32 hexadecimal digits.
///
/// # Errors
/// When the system has none.
pub(crate) fn text() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}
