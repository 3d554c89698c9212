/// Whose log it is: stamped into every segment header.
public struct WALIdentity: Hashable, Sendable {
    /// The cluster it belongs to.
    public var cluster: UID
    /// The shard it belongs to.
    public var shard: UID
    /// The branch that the running incarnation writes.
    public var branch: UID
    /// Counts writable opens of the directory.
    public var incarnation: UInt64
    /// The leader's term; 0 on a single node.
    public var epoch: UInt64

    /// The identity of an incarnation's log.
    public init(cluster: UID, shard: UID, branch: UID, incarnation: UInt64, epoch: UInt64 = 0) {
        self.cluster = cluster
        self.shard = shard
        self.branch = branch
        self.incarnation = incarnation
        self.epoch = epoch
    }
}

/// How the log is laid out and kept.
struct WALOptions: Sendable {
    /// Segments are rotated at this size.
    var segmentBytes: Int
    /// The first segment of an incarnation is pre-written to at most this size, so that opening is
    /// quick.
    var firstSegmentBytes: Int
    /// Record bytes after which a chunk is closed; a larger record makes a larger chunk.
    var chunkBytes: Int
    /// Log kept behind the release point, for PITR and change capture.
    var retainBytes: UInt64
    /// Keep released segments as spares.
    var recycles: Bool
    /// After so long without a flush the watermarks are written out.
    var idleWatermarkNanos: UInt64
    /// Written but unsynced bytes after which a sync is started in the background.
    var backgroundSyncBytes: UInt64

    /// The engine's own choice; ``EngineOptions`` sets the first sizes and what is retained.
    init(
        segmentBytes: Int = 64 << 20, firstSegmentBytes: Int = 1 << 20, chunkBytes: Int = 128 << 10,
        retainBytes: UInt64 = 256 << 20, recycles: Bool = true,
        idleWatermarkNanos: UInt64 = 5_000_000, backgroundSyncBytes: UInt64 = 16 << 20
    ) {
        self.segmentBytes = segmentBytes
        self.firstSegmentBytes = firstSegmentBytes
        self.chunkBytes = chunkBytes
        self.retainBytes = retainBytes
        self.recycles = recycles
        self.idleWatermarkNanos = idleWatermarkNanos
        self.backgroundSyncBytes = backgroundSyncBytes
    }
}

/// What the writer tells the engine. Calls but `rotation` are serialised, come from the writer's flusher thread (or
/// from the thread that is inside `writePending`) and must be short.
struct WALCallbacks: Sendable {
    /// Records that end at or before `written` are with the operating system, before `synced` on
    /// the device. Both only rise.
    var progress: @Sendable (_ written: LSN, _ synced: LSN) -> Void
    /// The log is poisoned: nothing further will be written or synced. Called once.
    var failure: @Sendable (StorageError) -> Void
    /// The disk is full: the writer retries by itself until it is not. Nil when it goes on.
    var stall: @Sendable (StorageError?) -> Void
    /// The log goes on in a new segment, which is durable. From the housekeeper's thread.
    var rotation: @Sendable (WALSegmentNumber) -> Void

    /// By default nothing is done.
    init(
        progress: @escaping @Sendable (LSN, LSN) -> Void = { _, _ in },
        failure: @escaping @Sendable (StorageError) -> Void = { _ in },
        stall: @escaping @Sendable (StorageError?) -> Void = { _ in },
        rotation: @escaping @Sendable (WALSegmentNumber) -> Void = { _ in }
    ) {
        self.progress = progress
        self.failure = failure
        self.stall = stall
        self.rotation = rotation
    }
}

/// Where one appended record lies.
struct WALPosition: Hashable, Sendable {
    /// Its first byte: the record's name.
    var start: LSN
    /// One beyond its last byte: durable once `synced >= end`.
    var end: LSN
}

/// How a new incarnation's log continues the log found on disk; ``WALReader/continuation`` and
/// ``WALScan`` make it.
public struct WALContinuation: Hashable, Sendable {
    /// The last segment found, to be synced before a successor's header may vouch for it.
    public struct Predecessor: Hashable, Sendable {
        /// Its number.
        public var segment: WALSegmentNumber
        /// Its identity.
        public var uid: UID
        /// The end of its last good record: what recovery replayed to.
        public var lastLSN: LSN
    }
    /// The number of the segment to begin.
    public var segment: WALSegmentNumber
    /// Where its first record will begin.
    public var firstLSN: LSN
    /// What it follows on; nil of a log's first.
    public var predecessor: Predecessor?
    /// Where in the predecessor's file lies what was read and nothing vouches for.
    public var unvouched: Range<UInt64>
    /// Where in the predecessor's file the last trace of its life ends; nil where nobody looked.
    public var traceEnd: UInt64?

    /// A continuation; without the last two nothing was left unvouched, and nobody looked for a trace.
    public init(
        segment: WALSegmentNumber, firstLSN: LSN, predecessor: Predecessor?,
        unvouched: Range<UInt64> = 0..<0, traceEnd: UInt64? = nil
    ) {
        self.segment = segment
        self.firstLSN = firstLSN
        self.predecessor = predecessor
        self.unvouched = unvouched
        self.traceEnd = traceEnd
    }
    /// For a new database. LSN zero stays reserved for "none".
    public static let beginning = WALContinuation(
        segment: WALSegmentNumber(1), firstLSN: LSN(8), predecessor: nil)
}
