//! A newer token on an open connection.

use std::{borrow::Cow, ops::ControlFlow};

use grtc_protocol::{
    CloseCode,
    server::{Ack, Authenticated, ErrorCode, encode},
};
use tokio::io::{AsyncRead, AsyncWrite};

use super::{Session, end::End, lease::Shown};

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    /// Goes on with a newer token, if it is one and the same bearer's. A room that it does not allow is lost.
    pub(super) async fn renew(&mut self, shown: Shown) -> ControlFlow<End> {
        let id = shown.id.as_deref();
        let caller = match self.lease.newer(&shown.token).await {
            Ok(caller) => caller,
            Err(refused) => return self.refuse(ErrorCode::BadToken, &refused.text, id),
        };
        let own = caller.grants.peer_id.as_ref();
        if !caller.grants.room(&self.membership.room_id()) || own.is_some_and(|own| *own != self.membership.place.peer)
        {
            return ControlFlow::Break(End::with(CloseCode::NotAllowed));
        }
        let expires_at = caller.expires_at.to_string();
        self.membership.renew(self.lease.renew(caller));
        self.answer(encode(&Authenticated { expires_at: expires_at.into() }).into());
        if let Some(id) = id {
            self.answer(encode(&Ack { reference: Cow::Borrowed(id) }).into());
        }
        ControlFlow::Continue(())
    }
}
