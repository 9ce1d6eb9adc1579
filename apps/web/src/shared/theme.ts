import { useSyncExternalStore } from 'react'

export const THEMES = ['auto', 'light', 'dark'] as const
export type Theme = (typeof THEMES)[number]

const KEPT = 'roadmeter-theme'
const told = new Set<() => void>()
const system = matchMedia('(prefers-color-scheme: dark)')

const kept = (): Theme => {
  const found = localStorage.getItem(KEPT)
  return THEMES.find((theme) => theme === found) ?? 'auto'
}
const isDark = (): boolean => (kept() === 'auto' ? system.matches : kept() === 'dark')

function show(): void {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light'
  for (const tell of told) tell()
}

/** Follows the choice that was kept, or the system's. */
export function startTheme(): void {
  system.addEventListener('change', show)
  show()
}

export function chooseTheme(theme: Theme): void {
  localStorage.setItem(KEPT, theme)
  show()
}

const listen = (tell: () => void) => {
  told.add(tell)
  return () => void told.delete(tell)
}
export const useTheme = (): Theme => useSyncExternalStore(listen, kept)
/** Maps and charts draw on a canvas: they need to know. */
export const useIsDark = (): boolean => useSyncExternalStore(listen, isDark)
