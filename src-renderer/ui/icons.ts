/** What a Lucide icon is for the components that take one. */
import type { Component } from 'svelte'
import type { IconProps } from '@lucide/svelte'

export type Icon = Component<IconProps>
