import { useTranslation } from 'react-i18next'
import { type DatasetView } from './tables'

/** A released table in the reader's words; as the api says it where it tells of one that these pages don't know yet. */
export function useDatasetWords() {
  const { t, i18n } = useTranslation('analyst')
  const knows = (key: string) => i18n.exists(`analyst:${key}`)
  return {
    titleOf: ({ dataset, title }: DatasetView): string =>
      knows(`datasets.${dataset}.title`) ? t(`datasets.${dataset as 'revenue'}.title`) : title,
    aboutOf: ({ dataset, about }: DatasetView): string =>
      knows(`datasets.${dataset}.about`) ? t(`datasets.${dataset as 'revenue'}.about`) : about,
    meansOf: ({ name, about }: { name: string; about: string }): string =>
      knows(`means.${name}`) ? t(`means.${name as 'zone'}`) : about,
    columnOf: (name: string): string => (knows(`columns.${name}`) ? t(`columns.${name as 'zone'}`) : name),
  }
}
