import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'

/** Every metric of ours, once: what `/metrics` shows and alert rules name. */
export class Metrics {
  readonly registry = new Registry()
  private readonly registers = [this.registry]

  readonly batches = new Counter({
    name: 'roadmeter_batches_total',
    help: 'Batches received, by fate: accepted, duplicate or rejected',
    labelNames: ['fate'],
    registers: this.registers,
  })
  readonly rejections = new Counter({
    name: 'roadmeter_rejections_total',
    help: 'Batches rejected, by reason of the protocol',
    labelNames: ['reason'],
    registers: this.registers,
  })
  readonly news = new Counter({
    name: 'roadmeter_news_total',
    help: 'Messages other than batches (state, owntracks, traccar), by what became of them',
    labelNames: ['kind', 'fate'],
    registers: this.registers,
  })
  readonly fixes = new Counter({ name: 'roadmeter_fixes_total', help: 'Fixes accepted', registers: this.registers })
  readonly forgone = new Counter({
    name: 'roadmeter_forgone_micros_total',
    help: 'What trips were charged less because a shorter way or a cheaper road may as well have been driven, in micros of the currency',
    labelNames: ['currency'],
    registers: this.registers,
  })
  readonly commitSeconds = new Histogram({
    name: 'roadmeter_inbox_commit_seconds',
    help: 'Time of one group commit to the inbox',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1],
    registers: this.registers,
  })
  readonly stageSeconds = new Histogram({
    name: 'roadmeter_stage_seconds',
    help: 'Time of one piece of work, by stage and outcome',
    labelNames: ['stage', 'outcome'],
    buckets: [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 30],
    registers: this.registers,
  })
  readonly oldestWorkSeconds = new Gauge({
    name: 'roadmeter_oldest_work_seconds',
    help: 'Age of the oldest work that is not done: the one number that says whether the pipeline keeps up',
    registers: this.registers,
  })

  readonly oldestUnclaimedSeconds = new Gauge({
    name: 'roadmeter_oldest_unclaimed_seconds',
    help: "Age of the oldest work that is in nobody's hands and not parked",
    registers: this.registers,
  })
  readonly parkedWork = new Gauge({
    name: 'roadmeter_parked_work',
    help: 'Pieces of work that failed so often that they wait for an operator: roadmeter work list',
    registers: this.registers,
  })
  readonly balanceDifference = new Gauge({
    name: 'roadmeter_balance_difference',
    help: 'Arrivals by which received differs from accepted + duplicate + rejected, or the days from the streams: 0, always',
    registers: this.registers,
  })
  readonly unkeptRejections = new Gauge({
    name: 'roadmeter_rejections_unkept',
    help: 'Messages that were rejected and not kept, their devices having filled their share of the quarantine for the day',
    registers: this.registers,
  })
  readonly invariantFaults = new Gauge({
    name: 'roadmeter_invariant_faults',
    help: 'Faults that the latest check found of each invariant (at most ten): 0, always',
    labelNames: ['invariant'],
    registers: this.registers,
  })
  readonly reconciledAt = new Gauge({
    name: 'roadmeter_reconciled_timestamp_seconds',
    help: 'When the invariants were checked last, in seconds of the epoch',
    registers: this.registers,
  })
  readonly headsAt = new Gauge({
    name: 'roadmeter_heads_published_timestamp_seconds',
    help: 'When the heads of the ledger were written outside the database last, in seconds of the epoch',
    registers: this.registers,
  })
  readonly disputesOverdue = new Gauge({
    name: 'roadmeter_disputes_overdue',
    help: 'Disputes that were not decided by the day that their citizens were told',
    registers: this.registers,
  })
  readonly deviceAlarms = new Gauge({
    name: 'roadmeter_device_alarms',
    help: 'Devices with an alarm within the last day, by its kind: roadmeter devices alarms',
    labelNames: ['kind'],
    registers: this.registers,
  })

  readonly connections = new Gauge({
    name: 'roadmeter_mqtt_connections',
    help: 'Living MQTT connections: of devices to our own broker, or ours (subscriber, receipts) to another',
    labelNames: ['kind'],
    registers: this.registers,
  })
  readonly doorRefusals = new Counter({
    name: 'roadmeter_mqtt_refusals_total',
    help: 'What the MQTT door refused before it was looked at as a batch: sign-ins, topics, packets, retained messages',
    registers: this.registers,
  })
  readonly uncommitted = new Counter({
    name: 'roadmeter_mqtt_uncommitted_total',
    help: 'Messages that could not be made durable, and so were not acknowledged: their devices send them again',
    registers: this.registers,
  })
  readonly rings = new Counter({
    name: 'roadmeter_rings_total',
    help: 'Rings of the work bell: rung, or dropped (the sweeper finds their work)',
    labelNames: ['outcome'],
    registers: this.registers,
  })

  constructor() {
    collectDefaultMetrics({ register: this.registry })
  }
}
