import FalconSchema
import Glibc

/// What EXPLAIN ANALYZE measures of one plan node.
final class NodeCounters {
    /// How often it was started.
    var loops: Int64 = 0
    /// Rows it gave, over all loops.
    var rows: Int64 = 0
    /// Rows it read and its own filter refused.
    var removed: Int64 = 0
    /// Nanoseconds until its first row (or its end without one), and in all, over all loops.
    var startup: UInt64 = 0
    var total: UInt64 = 0
}

/// The counters of a plan's nodes.
final class PlanMeasurement {
    /// Whether the clock is read; it costs more than many a node.
    let isTimed: Bool
    private(set) var counters: [ObjectIdentifier: NodeCounters] = [:]

    init(isTimed: Bool) { self.isTimed = isTimed }

    func makeCounters(for node: PlanNode) -> NodeCounters {
        if let found = counters[ObjectIdentifier(node)] { return found }
        let made = NodeCounters()
        counters[ObjectIdentifier(node)] = made
        return made
    }

    static func now() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) &* 1_000_000_000 &+ UInt64(time.tv_nsec)
    }
}

/// Stands before another operator and measures it.
final class MeasuredOperator: Operator {
    private let inner: Operator
    private let counters: NodeCounters
    private let isTimed: Bool
    /// Nothing has been asked of it since it was opened.
    private var isFirst = false
    private var spent: UInt64 = 0

    init(_ inner: Operator, _ counters: NodeCounters, isTimed: Bool) {
        self.inner = inner
        self.counters = counters
        self.isTimed = isTimed
        super.init(inner.executor)
    }

    override func open() throws(SQLError) {
        isFirst = true
        let start = isTimed ? PlanMeasurement.now() : 0
        try inner.open()
        if isTimed {
            spent = PlanMeasurement.now() &- start
            counters.total &+= spent
        }
    }

    override func next() throws(SQLError) -> Bool {
        let start = isTimed ? PlanMeasurement.now() : 0
        let hasRow = try inner.next()
        if isTimed {
            let elapsed = PlanMeasurement.now() &- start
            counters.total &+= elapsed
            if isFirst { counters.startup &+= spent &+ elapsed }
        }
        if isFirst {
            isFirst = false
            counters.loops += 1
        }
        if hasRow { counters.rows += 1 }
        return hasRow
    }

    override func close() {
        if let reader = inner as? TableReadOperator {
            counters.removed += reader.removedRows
            reader.removedRows = 0
        }
        inner.close()
    }
}

extension NodeCounters {
    /// Averages over the loops, as EXPLAIN shows them.
    var rowsPerLoop: Int64 { loops == 0 ? 0 : (rows + loops / 2) / loops }
    var startupPerLoop: UInt64 { loops == 0 ? 0 : startup / UInt64(loops) }
    var totalPerLoop: UInt64 { loops == 0 ? 0 : total / UInt64(loops) }
}
