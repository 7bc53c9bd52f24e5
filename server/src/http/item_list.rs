//! A list of items as an answer. A long one is read and sent in pieces, as its client takes them: so it costs the memory of
//! one piece, however many items it has.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use parking_lot::Mutex;
use warp::{Reply, reply::Response};

use super::answer::to_json;
use crate::{
    budget::{Budget, Share},
    error::ApiError,
    store::{Page, Store, model::Item},
};

const TOTAL_COUNT: HeaderName = HeaderName::from_static("x-total-count");
/// Items in one piece.
const PIECE: u64 = 100;

/// What of a list is still to be sent.
struct Rest {
    store: Store,
    budget: Budget,
    page: Page,
    /// Of the piece that is on its way.
    share: Share,
    piece: Vec<Item>,
    state: State,
}

#[derive(PartialEq)]
enum State {
    Begins,
    GoesOn,
    Ended,
}

/// A list that can't be sent to its end: the client sees a connection that breaks.
#[derive(Debug, thiserror::Error)]
#[error("a list ended in the middle: {0}")]
struct Broken(String);

/// The items of a page.
///
/// # Errors
/// When the database can't be read.
pub(super) async fn answer(store: Store, budget: Budget, mut page: Page) -> Result<Response, ApiError> {
    let limit = page.limit;
    page.limit = limit.min(PIECE);
    let (piece, total) = store.items(&page).await?;
    let is_whole = limit <= PIECE || (piece.len() as u64) < PIECE;
    let mut response = match is_whole {
        true => to_json(&piece),
        false => {
            (page.limit, page.skip) = (limit, 0);
            let rest = Rest { store, budget, page, share: Share::default(), piece, state: State::Begins };
            // warp asks for a stream that threads could share, which none of them does: hence the lock that is never taken.
            let mut pieces = Mutex::new(Box::pin(stream::try_unfold(rest, Rest::next)));
            let pieces = stream::poll_fn(move |cx| pieces.get_mut().poll_next_unpin(cx));
            let mut response = warp::reply::stream(pieces).into_response();
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
    };
    response.headers_mut().insert(TOTAL_COUNT, HeaderValue::from(total));
    Ok(response)
}

impl Rest {
    /// The next piece. The one before has left, but for what the connection's own buffer holds.
    async fn next(mut self) -> Result<Option<(Bytes, Self)>, Broken> {
        let first = match self.state {
            State::Ended => return Ok(None),
            State::Begins => b'[',
            State::GoesOn => {
                self.share = Share::default();
                let page = Page { limit: self.page.limit.min(PIECE), ..self.page.clone() };
                self.piece = self.store.items(&page).await.map_err(|error| Broken(error.to_string()))?.0;
                b','
            }
        };
        let count = self.piece.len() as u64;
        let mut text = Vec::new();
        for (n, item) in self.piece.drain(..).enumerate() {
            text.push(if n == 0 { first } else { b',' });
            serde_json::to_writer(&mut text, &item).map_err(|error| Broken(error.to_string()))?;
            self.page.after = Some(item.id);
        }
        self.page.limit = self.page.limit.saturating_sub(count);
        self.state = State::GoesOn;
        if self.page.limit == 0 || count < PIECE {
            text.push(b']');
            self.state = State::Ended;
        }
        let share = self.budget.wait(text.len()).await;
        self.share = share.ok_or_else(|| Broken("no memory for answers was given back in time".to_owned()))?;
        Ok(Some((text.into(), self)))
    }
}
