// Takes a token out of the address (`#token=…`, also `#room&token=…`) before anything else is asked for: hence no module, and
// the first script of the page. It is kept for this tab; a browser that keeps nothing has the page ask for it.
(() => {
  const take = () => {
    const parts = location.hash.slice(1).split('&');
    const rest = parts.filter((part) => !part.startsWith('token='));
    if (rest.length === parts.length) return false;
    const [found = ''] = parts.filter((part) => part.startsWith('token='));
    const hash = rest.length ? `#${rest.join('&')}` : '';
    history.replaceState(history.state, '', `${location.pathname}${location.search}${hash}`);
    try {
      sessionStorage.setItem('grtc.token', decodeURIComponent(found.slice('token='.length)));
    } catch {
      // It is not kept, and not in the address any more either.
    }
    return true;
  };
  take();
  // An address that is opened in a tab that is here already.
  addEventListener('hashchange', () => take() && dispatchEvent(new Event('token-in-address')));
})();
