import { Route, Routes } from 'react-router'
import { NoSuchPage } from '../shared/states'
import { Room } from '../shared/room'

export default function Citizen() {
  return (
    <Routes>
      <Route index element={<Room />} />
      <Route path="*" element={<NoSuchPage />} />
    </Routes>
  )
}
