import { lazy } from 'react'
import { Navigate, Route, Routes } from 'react-router'
import { useMe } from '../shared/me'
import { NoSuchPage } from '../shared/states'
import { addWords } from '../shared/words'
import { Books } from './books'
import { Dashboard } from './dashboard'
import { Disputes } from './disputes'
import { DisputePage } from './dispute'
import { Policies } from './policies'
import { PolicyPage } from './policy'
import { Reviews } from './reviews'
import { en } from './words/en'
import { es } from './words/es'

addWords('agency', { en, es })

// What only writers and readers of a policy need comes with them: the editor, and what draws on maps.
const Editor = lazy(() => import('./editor'))
const Diff = lazy(() => import('./diff'))
const Backtest = lazy(() => import('./backtest'))

export default function Agency() {
  const { role } = useMe()
  if (role === 'citizen' || role === 'analyst') return <Navigate to="/" replace />
  return (
    <Routes>
      <Route index element={<Dashboard />} />
      <Route path="policies" element={<Policies />} />
      <Route path="policies/new" element={<Editor />} />
      <Route path="policies/:policy" element={<PolicyPage />} />
      <Route path="policies/:policy/edit" element={<Editor />} />
      <Route path="policies/:policy/diff" element={<Diff />} />
      <Route path="policies/:policy/backtest" element={<Backtest />} />
      <Route path="disputes" element={<Disputes />} />
      <Route path="disputes/:id" element={<DisputePage />} />
      <Route path="reviews" element={<Reviews />} />
      <Route path="books" element={<Books />} />
      <Route path="*" element={<NoSuchPage />} />
    </Routes>
  )
}
