import * as contracts from '#contracts'
import * as roads from '#road-network'

// road-network may import the kernel only, so it says the road classes again; these are the same words in the same order.
it('roads go by the same words in the network and in the contracts', () => {
  expect(roads.ROAD_CLASSES).toEqual(contracts.ROAD_CLASSES)
  expect(roads.ACCESS).toEqual(contracts.ACCESS)
})
