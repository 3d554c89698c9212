import FalconSchema
import FalconStorage

/// One execution of a statement, from taking its relation locks to its last row. Survives waiting,
/// pausing and the suspension of its portal.
final class StatementRun {
    enum Stage {
        /// Locks, plan check and snapshot are still to come.
        case start
        /// The lock it waited for is granted: run again from its first row, with the same snapshot.
        case restart
        case running
        /// All rows are in `buffer`.
        case emitting
        case done
    }

    let prepared: PreparedStatement
    let parameters: [Datum]
    var stage = Stage.start
    var executor: PlanExecutor?
    var snapshot: Snapshot?
    /// It sees the transaction's writes below this ordinal.
    var readOrdinal: UInt32 = 0
    /// Where the transaction stood when this piece of work began, to be undone if it has to wait.
    var firstOrdinal: UInt32 = 0
    var changeCount = 0
    var notifications = PendingNotifications.Mark()
    /// What the transaction had done before it.
    var workBefore = TransactionWork()

    /// Rows kept back until the statement is complete: it may have to run again.
    var buffer: [[Datum]] = []
    var bufferPlace = 0
    private var bufferBytes = 0
    /// A cursor's: WHERE CURRENT OF may ask for its row.
    var keepsKeys = false
    /// Of a cursor that locks its rows: where their keys are, and those of the rows in `buffer`.
    var keySlots: [Int] = []
    private(set) var rowKeys: [[Datum]] = []
    var columns: [ResultColumn] = []
    var formats: [Int16] = []
    var isDescribed = false
    /// Rows sent in all, and in the current Execute.
    var emitted: Int64 = 0
    var affected: Int64 = 0
    /// Rows a read has sent over all its Executes, and how many of them to pass over when it runs
    /// again after a wait (a function took a lock).
    var streamed: Int64 = 0
    var toPassOver: Int64 = 0
    /// A utility statement's tag once it has run.
    var tag = ""
    /// EXECUTE's prepared statement, run in place of this one.
    var inner: StatementRun?
    var utilityState: AnyObject?
    var rowValues: [Datum] = []
    /// A worker has to run it: its text or parameters are large, it may nest deeply, or it met the disk.
    var needsWorker: Bool

    init(prepared: PreparedStatement, parameters: [Datum]) {
        self.prepared = prepared
        self.parameters = parameters
        needsWorker = prepared.isDeep || parameters.contains(where: FunctionDescriptor.isLong)
    }

    /// Keeps a row back.
    func keep(_ values: [Datum], _ executor: PlanExecutor) throws(SQLError) {
        let bytes = RowMemory.row(values)
        try executor.hold(bytes)
        bufferBytes &+= bytes
        buffer.append(values)
    }

    /// Keeps the keys of the row kept last.
    func keepKeys(_ executor: PlanExecutor) throws(SQLError) {
        let keys = keySlots.map { executor.row.slots[$0] }
        let bytes = RowMemory.row(keys)
        try executor.hold(bytes)
        bufferBytes &+= bytes
        rowKeys.append(keys)
    }

    /// Reads from its first row again when it goes on, passing over what it has sent.
    func startOver() {
        guard stage == .running else { return }
        stage = .restart
        toPassOver = streamed
    }

    /// Reads from its first row again, all of them.
    func readAgain() {
        guard stage == .running else { return }
        stage = .restart
        toPassOver = 0
        streamed = 0
        emitted = 0
    }

    /// Drops the rows kept back: the statement runs again.
    func forgetRows() {
        buffer.removeAll(keepingCapacity: true)
        rowKeys.removeAll(keepingCapacity: true)
        executor?.release(bufferBytes)
        bufferBytes = 0
    }

    /// Returns the executor for another run.
    func finish() {
        if let executor {
            if !prepared.isDeep || !LargeStack.run({ executor.end() }) { executor.end() }
            if prepared.plan === executor.plan { prepared.idleExecutor = executor }
        }
        executor = nil
        snapshot = nil
        buffer = []
        rowKeys = []
        bufferBytes = 0
        stage = .done
        inner?.finish()
    }
}

/// How far a statement got.
enum StatementStep {
    /// It is complete; `then` says what must happen to the transaction before its tag is sent.
    case done(tag: String, then: TransactionEnd = .none)
    /// The row limit of Execute was reached.
    case suspended
    case blocked(SessionProgress)
}

/// What a transaction statement asks the session to do.
enum TransactionEnd {
    case none
    case commit(chain: Bool)
    case rollback(chain: Bool)
    /// PREPARE TRANSACTION under this identifier.
    case prepare(String)
    /// COMMIT PREPARED or ROLLBACK PREPARED.
    case decide(String, commits: Bool)
}
