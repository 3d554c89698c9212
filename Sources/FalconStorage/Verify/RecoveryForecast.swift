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
    public init(
        directory: String, from start: LSN, environment: StorageEnvironment
    ) throws(StorageError) {
        self.start = start
        let reader = try WALReader(
            directory: directory, fileSystem: environment.fileSystem, from: start)
        reader.skipsEncrypted = true
        var scanner = LogScanner(directory: directory, from: start, memtableBytes: 64 << 20)
        let progress = RecoveryProgress(
            path: directory, listener: nil, clock: environment.clock)
        do throws(StorageError) {
            let verdict = try scanner.run(reader, progress, offsets: [:]).verdict
            end = verdict.end
            if case .corruption(let damage) = verdict {
                refusal = damage.error
            } else {
                refusal = nil
            }
        } catch  where error.code == .corruption || error.code == .unsupportedFormat {
            end = nil
            refusal = error
        }
    }
}
