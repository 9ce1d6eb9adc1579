import { Room } from '../shared/room'

export default function Analyst() {
  return <Room />
}
