import { lazy, Suspense } from 'react'
import { Navigate, Route, Routes } from 'react-router'
import type { Role } from '#contracts'
import { Boundary } from './shared/boundary'
import { Identity, useMe } from './shared/me'
import { Shell } from './shared/shell'
import { Loading, NoSuchPage } from './shared/states'

// A room is loaded when somebody goes in: a citizen's browser never sees the agency's.
const Citizen = lazy(() => import('./citizen'))
const Agency = lazy(() => import('./agency'))
const Analyst = lazy(() => import('./analyst'))

/** Which room is whose home; the api decides what anybody gets to see in it. */
const homeOf = (role: Role) => (role === 'citizen' ? '/my' : role === 'analyst' ? '/analyst' : '/agency')

export function App() {
  return (
    <Identity>
      <Shell>
        <Boundary>
          <Suspense fallback={<Loading />}>
            <Routes>
              <Route path="/" element={<Home />} />
              <Route path="/my/*" element={<Citizen />} />
              <Route path="/agency/*" element={<Agency />} />
              <Route path="/analyst/*" element={<Analyst />} />
              <Route path="*" element={<NoSuchPage />} />
            </Routes>
          </Suspense>
        </Boundary>
      </Shell>
    </Identity>
  )
}

function Home() {
  return <Navigate to={homeOf(useMe().role)} replace />
}
