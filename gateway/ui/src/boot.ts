// Runs before the first paint, as a classic script: it may import nothing.
{
  const asked = new URLSearchParams(location.search);
  const root = document.documentElement;
  const theme = asked.get('theme');
  const dark = matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset['theme'] = theme === 'light' || theme === 'dark' ? theme : dark ? 'dark' : 'light';
  root.dataset['embedded'] = String(asked.get('embedded') === 'true');
}
