export { capCredit, windowsOf, type WindowGross } from './caps'
export { compilePolicy, tariffAt, type CompiledPolicy, type CompiledRule } from './compile'
export { explainCharge } from './explain'
export { NO_POLICY, rate } from './rate'
