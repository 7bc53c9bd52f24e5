//! Routes: a path, what it needs of who asks, and its handler, declared together.
//!
//! A [`Route`] can't be made without its [`Needs`], and nothing but [`table`] gets an answer out of it: there every request
//! passes the gate on its way to the handler.

use std::{panic::AssertUnwindSafe, pin::Pin, sync::Arc};

use bytes::{Buf, Bytes};
use futures_util::{FutureExt, Stream, TryStreamExt, future::BoxFuture};
use hyper::{Method, Request as HttpRequest};
use tokio::time::Instant;
use tracing::Span;
use warp::{Filter, Rejection, filters::BoxedFilter, reply::Response};

use crate::{
    base_path::BasePath,
    budget::{Budget, Share},
    error::ApiError,
    gate::{Gate, Head, Needs, allow_reading, is_preflight, preflight},
    limits::BODY_TIMEOUT,
};

/// A body as it comes in.
pub(crate) type Body = Pin<Box<dyn Stream<Item = Result<Bytes, warp::Error>> + Send + Sync>>;

/// A request that was let in.
pub(crate) struct Request {
    pub(crate) head: Arc<Head>,
    pub(crate) body: Body,
    /// When its body has to be here, or is waited for no more.
    pub(crate) deadline: Instant,
    /// The memory for bodies, and this one's share of it.
    pub(crate) memory: Budget,
    pub(crate) share: Share,
}

/// One path.
pub(crate) struct Route(BoxedFilter<(Matched,)>);

/// A route that is the one.
struct Matched {
    name: &'static str,
    needs: fn(&Method) -> Needs,
    handle: Box<dyn FnOnce(Request) -> BoxFuture<'static, Result<Response, ApiError>> + Send>,
}

/// A path without parameters.
pub(crate) fn fixed<F>(path: F) -> impl Filter<Extract = ((),), Error = F::Error> + Clone + Send + Sync + 'static
where
    F: Filter<Extract = ()> + Clone + Send + Sync + 'static,
{
    path.map(|| ())
}

impl Route {
    /// Requests for `path`, known as `name` in logs and counts, which name nobody, are handled with `context` and the path's parameter by `handler`, once the
    /// gate has let them in for what `needs` says.
    pub(crate) fn new<P, C, H, F>(
        name: &'static str,
        needs: fn(&Method) -> Needs,
        path: impl Filter<Extract = (P,), Error: Into<Rejection>> + Clone + Send + Sync + 'static,
        context: &C,
        handler: H,
    ) -> Self
    where
        P: Send + 'static,
        C: Clone + Send + Sync + 'static,
        H: Fn(C, P, Request) -> F + Clone + Send + Sync + 'static,
        F: Future<Output = Result<Response, ApiError>> + Send + 'static,
    {
        let context = context.clone();
        let matched = path.map(move |parameter| {
            let (context, handler) = (context.clone(), handler.clone());
            let handle = Box::new(move |request| handler(context, parameter, request).boxed());
            Matched { name, needs, handle }
        });
        Self(matched.boxed())
    }
}

/// Takes the head out of a request, to where the routes find it.
pub(crate) fn prepare<B>(request: HttpRequest<B>) -> HttpRequest<B> {
    let (mut parts, body) = request.into_parts();
    let head = Head {
        method: parts.method.clone(),
        uri: parts.uri.clone(),
        headers: std::mem::take(&mut parts.headers),
        extensions: std::mem::take(&mut parts.extensions),
    };
    parts.extensions.insert(Arc::new(head));
    HttpRequest::from_parts(parts, body)
}

/// Everything that is answered: the routes in this order, behind the gate, at the root and below `base`.
pub(crate) fn table(gate: Gate, base: BasePath, routes: Vec<Route>) -> BoxedFilter<(Response,)> {
    let unknown = Route::new(
        "other",
        |_| Needs::Public,
        fixed(warp::any()),
        &(),
        async |(), (), _| Err(ApiError::not_found("there is nothing at this path")),
    );
    let all = routes.into_iter().rev().fold(unknown.0, |later, route| route.0.or(later).unify().boxed());
    let all = if base.is_root() { all } else { base.below(all.clone()).or(all).unify().boxed() };
    let shared = Arc::new((gate, base, Budget::new()));
    all.and(warp::ext::get::<Arc<Head>>())
        .and(warp::body::stream())
        .then(move |matched: Matched, head: Arc<Head>, body| pass(shared.clone(), matched, head, boxed(body)))
        .boxed()
}

/// A handler's answer. A panic ends this request and nothing else.
async fn handled(matched: Matched, request: Request) -> Response {
    match AssertUnwindSafe(async { (matched.handle)(request).await }).catch_unwind().await {
        Ok(answer) => answer.unwrap_or_else(ApiError::response),
        Err(_) => ApiError::internal("a handler panicked; the message before this one says where").response(),
    }
}

async fn pass(shared: Arc<(Gate, BasePath, Budget)>, matched: Matched, head: Arc<Head>, body: Body) -> Response {
    let (gate, base, memory) = &*shared;
    Span::current().record("http.route", matched.name);
    match gate.check(&head, (matched.needs)(&head.method)) {
        Err(error) => error.response(),
        Ok(identity) => {
            let mut response = match is_preflight(&head) {
                true => preflight(),
                false => {
                    let (deadline, share) = (Instant::now() + BODY_TIMEOUT, Share::default());
                    let request = Request { head: head.clone(), body, deadline, memory: memory.clone(), share };
                    handled(matched, request).await
                }
            };
            if let Some(origin) = identity.origin {
                allow_reading(origin, response.headers_mut());
            }
            base.locate(&head, response.headers_mut());
            response
        }
    }
}

fn boxed(body: impl Stream<Item = Result<impl Buf, warp::Error>> + Send + Sync + 'static) -> Body {
    Box::pin(body.map_ok(|mut chunk| chunk.copy_to_bytes(chunk.remaining())))
}

#[cfg(test)]
mod tests {
    use hyper::{
        StatusCode,
        header::{ACCESS_CONTROL_ALLOW_ORIGIN, HOST, ORIGIN},
    };
    use tokio_util::sync::CancellationToken;
    use tower_service::Service;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_500_that_the_page_of_another_origin_can_read() {
        let route = Route::new("/", |_| Needs::Public, fixed(warp::any()), &(), async |(), (), _| panic!("now"));
        let origin = "http://page.test".parse().unwrap();
        let gate = Gate::new(vec![origin], true, CancellationToken::new());
        let mut service = warp::service(table(gate, BasePath::default(), vec![route]));
        let request = HttpRequest::get("/").header(HOST, "localhost").header(ORIGIN, "http://page.test");
        let Ok(response) = service.call(prepare(request.body(String::new()).unwrap())).await;
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(response.headers()[ACCESS_CONTROL_ALLOW_ORIGIN], "http://page.test");
    }
}
