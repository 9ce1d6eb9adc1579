export * from './charge-report'
export * from './segmentation'
