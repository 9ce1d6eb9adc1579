import { Navigate, Route, Routes } from 'react-router'
import { useMe } from '../shared/me'
import { NoSuchPage } from '../shared/states'
import { addWords } from '../shared/words'
import { DisputeForm } from './dispute-form'
import { Disputes } from './disputes'
import { Overview } from './overview'
import { Pay } from './pay'
import { Phone } from './phone'
import { Privacy } from './privacy'
import { QuotePage } from './quote'
import { StatementDay } from './statement-day'
import { StatementPage } from './statement'
import { Statements } from './statements'
import { TripPage } from './trip'
import { Trips } from './trips'
import { VehiclePage } from './vehicle'
import { Vehicles } from './vehicles'
import { en } from './words/en'
import { es } from './words/es'

addWords('citizen', { en, es })

/** A citizen's room. */
export default function Citizen() {
  // Somebody else's pages would be empty here.
  if (useMe().role !== 'citizen') return <Navigate to="/" replace />
  return (
    <Routes>
      <Route index element={<Overview />} />
      <Route path="statements" element={<Statements />} />
      <Route path="statements/:id" element={<StatementPage />} />
      <Route path="statements/:id/:day" element={<StatementDay />} />
      <Route path="trips" element={<Trips />} />
      <Route path="trips/:trip" element={<TripPage />} />
      <Route path="trips/:trip/question" element={<DisputeForm />} />
      <Route path="pay" element={<Pay />} />
      <Route path="vehicles" element={<Vehicles />} />
      <Route path="vehicles/:vehicle" element={<VehiclePage />} />
      <Route path="vehicles/:vehicle/phone" element={<Phone />} />
      <Route path="quote" element={<QuotePage />} />
      <Route path="disputes" element={<Disputes />} />
      <Route path="privacy" element={<Privacy />} />
      <Route path="*" element={<NoSuchPage />} />
    </Routes>
  )
}
