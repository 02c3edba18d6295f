import { mount } from 'svelte';

import App from './app/App.svelte';
import './styles/tokens.css';
import './styles/base.css';

const target = document.getElementById('app');
if (!target) throw new Error('index.html has an element with the id app');

mount(App, { target });
