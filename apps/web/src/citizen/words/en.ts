export const en = {
  overview: {
    title: 'Overview',
  },
} as const
