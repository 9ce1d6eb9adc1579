import { lazy } from 'react'
import { Navigate, Route, Routes } from 'react-router'
import { useMe } from '../shared/me'
import { NoSuchPage } from '../shared/states'
import { addWords } from '../shared/words'
import { Exports } from './exports'
import { Pilot } from './pilot'
import { Results } from './results'
import { en } from './words/en'
import { es } from './words/es'

addWords('analyst', { en, es })

const Roads = lazy(() => import('./roads'))

export default function Analyst() {
  const { role } = useMe()
  if (!['analyst', 'agency', 'operator'].includes(role)) return <Navigate to="/" replace />
  return (
    <Routes>
      <Route index element={<Results />} />
      <Route path="pilot" element={<Pilot />} />
      <Route path="roads" element={<Roads />} />
      <Route path="exports" element={<Exports />} />
      <Route path="*" element={<NoSuchPage />} />
    </Routes>
  )
}
