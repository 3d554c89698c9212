import FalconStorage

/// Where the lines of a stream go, and how far they have come there.
class ChangeOutput {
    /// Where the stream stands: what has been written up to the last boundary.
    final var cursor: StreamCursor
    final let clock: any StorageClock
    private var lastStore: UInt64

    init(_ cursor: StreamCursor, clock: any StorageClock) {
        self.cursor = cursor
        self.clock = clock
        lastStore = clock.monotonicNanos()
    }

    func write(_ line: [UInt8]) throws(StorageError) {}

    /// Everything that ends at or before `end` has been written, and nothing of what follows.
    func boundary(_ end: LSN) throws(StorageError) {
        cursor.endLSN = max(cursor.endLSN, end)
    }

    /// Nothing is left for now, or for good when `isLast`.
    func settle(isLast: Bool) throws(StorageError) {}

    /// Whether a second has passed since the last time that this said so.
    final func isDue() -> Bool {
        let now = clock.monotonicNanos()
        guard now &- lastStore >= 1_000_000_000 else { return false }
        lastStore = now
        return true
    }
}

/// To standard output, in the report's form. With a cursor file each change is shown at least once.
final class ReportOutput: ChangeOutput {
    private let report: ReportWriter
    private let cursorFile: CursorFile?

    init(_ report: ReportWriter, _ cursorFile: CursorFile?, _ cursor: StreamCursor) {
        self.report = report
        self.cursorFile = cursorFile
        super.init(cursor, clock: report.context.environment.clock)
    }

    override func write(_ line: [UInt8]) throws(StorageError) { report.record(encoded: line) }

    override func boundary(_ end: LSN) throws(StorageError) {
        try super.boundary(end)
        if cursorFile != nil, isDue() { try store() }
    }

    override func settle(isLast: Bool) throws(StorageError) {
        let output = report.context.standardOutput
        output.flush()
        guard let stored = cursorFile?.stored else { return try store() }
        if stored != cursor, isLast || isDue() { try store() }
    }

    private func store() throws(StorageError) {
        guard let cursorFile else { return }
        let output = report.context.standardOutput
        output.flush()
        // What nobody took has not been shown.
        if !output.isClosed { try cursorFile.store(cursor) }
    }
}
