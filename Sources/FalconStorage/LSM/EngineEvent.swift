/// Something an engine did or met while it was opened or in the background.
public enum EngineEvent: Sendable {
    /// A memtable that a flush turned into a table of level 0, or failed to.
    public struct Flush: Sendable {
        /// Bytes of the memtable's arena.
        public var memtableBytes: Int
        /// Bytes of the table and its blob file; 0 at the beginning and after a failure.
        public var writtenBytes: UInt64 = 0
        /// How long it took; 0 at the beginning.
        public var micros: UInt64 = 0
        /// Why it failed; it is tried again.
        public var error: StorageError?
    }
    /// A compaction of tables of `inputLevel`, with what they overlap, into `outputLevel`.
    public struct Compaction: Sendable {
        /// The level whose tables are compacted.
        public var inputLevel: Int
        /// The level of the new tables; the same as ``inputLevel`` where a level is rewritten in place.
        public var outputLevel: Int
        /// `level0-files`, `level-size`, `manual`, `beside-quarantine` (level 0 merges in itself while a
        /// quarantined table bars the way down), `blob-garbage`, `blob-files` (small blob files make a
        /// greater one), `tombstones` (deletes have piled up), `garbage` (old versions have), `reads` (many
        /// seeks look into a table in vain), `deleted-tables` (a range tombstone hides whole tables) or
        /// `encryption` (files are encrypted, under another key, or no longer).
        public var reason: String
        /// Tables that go in, of both levels.
        public var inputTables: Int
        /// Bytes of their files.
        public var inputBytes: UInt64
        /// Bytes of the new tables and blob files; 0 at the beginning, after a failure and for a mere move.
        public var writtenBytes: UInt64 = 0
        /// How long it took; 0 at the beginning.
        public var micros: UInt64 = 0
        /// Why it failed; it is tried again.
        public var error: StorageError?
    }

    /// An open of an existing directory goes on; on the thread that opens, before `open` returns.
    case recovering(RecoveryEvent)
    /// A memtable is being written to level 0.
    case flushBegan(Flush)
    /// It is written, or failed to be.
    case flushEnded(Flush)
    /// Tables are being merged.
    case compactionBegan(Compaction)
    /// They are merged, or failed to be.
    case compactionEnded(Compaction)
    /// Writers are held back for another reason than before; `none`: no longer.
    case delayChanged(EngineStatistics.DelayReason)
    /// A table was found damaged, now or before this open, and is out of service.
    case quarantined(CorruptionReport.Entry)
    /// Damage was found in a blob file, now or before this open; only its damaged values cannot be read.
    case blobDamaged(CorruptionReport.BlobFile)
    /// A file's bytes failed their checks and passed when they were read again: memory, or the way to the
    /// device, is at fault.
    case damageNotRepeated(StorageError)
    /// Damage was met, and by `cause` could not be looked into or noted in MANIFEST: the next who meets it tries
    /// again.
    case damageUnsettled(StorageError, cause: StorageError)
    /// Keys are older than ``EncryptionOptions/keyMaximumAgeMicros`` and could not be replaced: they stay in use,
    /// and it is tried again after the next flush.
    case keysNotReplaced(StorageError)
    /// The log could not be archived; it is tried again.
    case archiveFailed(StorageError)
    /// It is archived again.
    case archiveResumed
    /// Segments of the log were released before they were archived: no point behind `since` can be restored until
    /// the next base backup.
    case archiveLost(since: LSN, reason: String)
    /// A call of the file system lasts longer than ``EngineOptions/stallReportMicros``; told again when it has
    /// lasted twice as long.
    case stalled(StalledOperation)
    /// It is over, some time after it had lasted so long.
    case stallEnded(StalledOperation)
    /// A write to the log failed: the engine takes no more writes.
    case poisoned(StorageError)
}

/// Hears of an engine's events; set as ``EngineOptions/eventListener``.
///
/// Called on the engine's threads, one call per event, with no lock of the engine held. It must
/// return soon: a flush or a compaction waits for it. It may read from the engine and ask for its
/// statistics; it must not commit, compact or close. ``EngineEvent/recovering(_:)`` comes before there is
/// an engine.
public protocol EngineEventListener: AnyObject, Sendable {
    /// Says what happened to the engine whose directory is `path`.
    func engine(at path: String, did event: EngineEvent)
}
