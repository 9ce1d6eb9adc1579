import { Room } from '../shared/room'

export default function Agency() {
  return <Room />
}
