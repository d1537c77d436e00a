/** What components want of an icon; every one of Lucide's fits. */
import type { Component } from 'svelte'

export type Icon = Component<{ size?: number; strokeWidth?: number; 'aria-hidden'?: 'true' }>
