// Runs before the page is drawn, so that a light page does not begin with a dark flash. The only script that is not a
// module: modules wait until the page has been read. The stored form is described in settings.js.
(() => {
  let theme = 'auto';
  try {
    theme = JSON.parse(localStorage.getItem('wiretail.settings') ?? '{}').theme;
  } catch {
    // No storage, or not ours: as the system has it.
  }
  if (theme !== 'light' && theme !== 'dark') {
    theme = matchMedia('(prefers-color-scheme: light)').matches ? 'light' : 'dark';
  }
  document.documentElement.dataset.theme = theme;
})();
