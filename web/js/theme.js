// Runs before the first paint, so that a page in the dark does not flash: hence no module.
(() => {
  try {
    const theme = localStorage.getItem('grtc.theme');
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
  } catch {
    // Nothing is remembered: the system's own choice stays.
  }
})();
