/// What recovery will make of a log, found by the code that recovers. Nothing is applied or written.
public struct RecoveryForecast: Sendable {
    /// Recovery replays what ends behind this: the rest is in tables.
    public let start: LSN
    /// How far it gets; where it refuses, the end of what is good. Nil where a record makes no sense:
    /// that says where it begins.
    public let end: LSN?
    /// Why it refuses the log; nil when it replays it.
    public let refusal: StorageError?

    /// Reads the log of `directory` from `start` on.
    /// - Parameters:
    ///   - shard: whose log it is, by FORMAT: a segment of another, where it is read, is refused.
    ///   - expectation: what MANIFEST vouches for; what of that is missing is refused.
    public init(
        directory: String, from start: LSN, shard: UID? = nil,
        expectation: LogExpectation? = nil, environment: StorageEnvironment
    ) throws(StorageError) {
        self.start = start
        let reader = try WALReader(
            directory: directory, fileSystem: environment.fileSystem, from: start)
        reader.skipsEncrypted = true
        reader.shard = shard
        var scanner = LogScanner(directory: directory, from: start, memtableBytes: 64 << 20)
        let progress = RecoveryProgress(
            path: directory, listener: nil, clock: environment.clock)
        do throws(StorageError) {
            let verdict = try scanner.run(reader, progress, offsets: [:]).verdict
            if case .corruption(let damage) = verdict {
                end = verdict.end
                refusal = damage.error
            } else if let missing = try expectation?.missing(of: reader) {
                end = missing.goodUntil
                refusal = missing.error
            } else {
                end = verdict.end
                refusal = nil
            }
        } catch  where error.code == .corruption || error.code == .unsupportedFormat {
            end = nil
            refusal = error
        }
    }
}
