import './ui/theme.css'
import { mount } from 'svelte'
import { connectLongmode } from '../src-main/contract/services/index.ts'
import App from './app/App.svelte'
import { openCarrier } from './app/carrier.ts'

const target = document.getElementById('app')
if (target !== null) mount(App, { target, props: { api: connectLongmode(openCarrier()) } })
