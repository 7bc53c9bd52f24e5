// Says so at once when the page can't start: hence no module, since those are what may be missing. Without this script the
// page's style says it, after a while.
(() => {
  const failed = () => {
    if (!document.body?.classList.contains('ready')) document.documentElement.classList.add('failed');
  };
  // A script that was refused (such an error does not bubble), or one that broke before all was there.
  addEventListener(
    'error',
    ({ target }) => (target === window || target instanceof HTMLScriptElement) && failed(),
    true,
  );
  addEventListener('unhandledrejection', failed);
})();
