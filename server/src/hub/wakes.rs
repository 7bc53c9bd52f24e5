//! Who is to be woken by a frame. Whoever is woken stands in the runtime's queue before all that becomes ready later: a
//! thousand at once, who got the same broadcast, would be served before anybody in another room.

use std::{
    cell::{Cell, RefCell},
    task::Waker,
    vec::IntoIter,
};

use tokio::{runtime::Handle, task::yield_now};

/// So many are woken in a row; then all others who are ready have their turn.
const IN_A_ROW: usize = 16;

/// Those that one frame wakes. The first [`IN_A_ROW`] are woken as they come, so that in a small room nobody waits; the others
/// once this is dropped, in the order in which they came, by a task that ends with the last of them.
#[derive(Default)]
pub(crate) struct Wakes {
    woken: Cell<usize>,
    later: RefCell<Vec<Waker>>,
}

/// Who is still to be woken. Dropping it wakes them: a runtime that ends leaves nobody asleep.
struct Later(IntoIter<Waker>);

impl Wakes {
    /// One more.
    pub(crate) fn add(&self, waker: Waker) {
        if self.woken.get() < IN_A_ROW {
            self.woken.set(self.woken.get() + 1);
            waker.wake();
        } else {
            self.later.borrow_mut().push(waker);
        }
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        if self.later.get_mut().is_empty() {
            return;
        }
        let later = Later(self.later.take().into_iter());
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(later.wake_in_turn());
        }
    }
}

impl Later {
    async fn wake_in_turn(mut self) {
        while self.0.len() > 0 {
            // Who yields comes after all who are ready, and after a look at the sockets.
            yield_now().await;
            self.0.by_ref().take(IN_A_ROW).for_each(Waker::wake);
        }
    }
}

impl Drop for Later {
    fn drop(&mut self) {
        self.0.by_ref().for_each(Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{Arc, Mutex},
        task::Wake,
    };

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::UnixStream,
        runtime::Builder,
    };

    use super::*;

    /// Writes down who was woken.
    struct Sleeper(usize, Arc<Mutex<Vec<usize>>>);

    impl Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    /// The wakes of so many, and how many of them have come, which is in order.
    fn wakes(count: usize) -> (Wakes, impl Fn() -> usize) {
        let (wakes, log) = (Wakes::default(), Arc::new(Mutex::new(Vec::new())));
        (0..count).for_each(|number| wakes.add(Arc::new(Sleeper(number, log.clone())).into()));
        let woken = move || {
            let woken = log.lock().unwrap();
            assert!(woken.iter().copied().eq(0..woken.len()), "not in the order in which they came: {woken:?}");
            woken.len()
        };
        (wakes, woken)
    }

    #[test]
    fn a_small_room_is_woken_at_once() {
        let (_wakes, woken) = wakes(IN_A_ROW);
        assert_eq!(woken(), IN_A_ROW);
    }

    #[tokio::test]
    async fn who_is_ready_has_its_turn_after_each_few_of_many() {
        let (wakes, woken) = wakes(3 * IN_A_ROW + 1);
        let mut seen = vec![woken()];
        drop(wakes);
        while woken() <= 3 * IN_A_ROW {
            yield_now().await;
            seen.push(woken());
        }
        seen.dedup();
        assert_eq!(seen, [IN_A_ROW, 2 * IN_A_ROW, 3 * IN_A_ROW, 3 * IN_A_ROW + 1]);
    }

    #[tokio::test]
    async fn what_comes_by_a_socket_does_not_wait_for_all_of_them() {
        let ((mut here, mut there), (wakes, woken)) = (UnixStream::pair().unwrap(), wakes(1_000));
        let reading = tokio::spawn(async move {
            there.read_u8().await.unwrap();
            woken()
        });
        yield_now().await;
        here.write_u8(0).await.unwrap();
        drop(wakes);
        assert!(reading.await.unwrap() <= 2 * IN_A_ROW);
    }

    #[test]
    fn a_runtime_that_ends_leaves_nobody_asleep() {
        let (wakes, woken) = wakes(1_000);
        let runtime = Builder::new_current_thread().build().unwrap();
        runtime.block_on(async { drop(wakes) });
        assert!(woken() < 1_000);
        drop(runtime);
        assert_eq!(woken(), 1_000);
    }

    #[test]
    fn without_a_runtime_all_are_woken_at_once() {
        let (wakes, woken) = wakes(1_000);
        drop(wakes);
        assert_eq!(woken(), 1_000);
    }
}
