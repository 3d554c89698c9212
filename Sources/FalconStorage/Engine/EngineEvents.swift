import CFalconPlatform

/// Tells an engine's listener, if it has one.
struct EngineEvents: Sendable {
    let path: String
    let listener: (any EngineEventListener)?

    func send(_ event: EngineEvent) { listener?.engine(at: path, did: event) }

    func flush(
        _ layer: MemtableLayer, _ body: () throws(StorageError) -> UInt64
    ) throws(StorageError) -> UInt64 {
        guard listener != nil else { return try body() }
        var event = EngineEvent.Flush(memtableBytes: layer.approximateBytes)
        send(.flushBegan(event))
        let result = Self.timed(body, &event.micros)
        switch result {
        case .success(let bytes): event.writtenBytes = bytes
        case .failure(let error): event.error = error
        }
        send(.flushEnded(event))
        return try result.get()
    }

    func compaction(
        _ compaction: Compaction, _ body: () throws(StorageError) -> CompactionJob.Result
    ) throws(StorageError) -> CompactionJob.Result {
        guard listener != nil else { return try body() }
        var event = EngineEvent.Compaction(
            inputLevel: compaction.inputLevel, outputLevel: compaction.outputLevel,
            reason: compaction.reason.rawValue, inputTables: compaction.allInputs.count,
            inputBytes: compaction.inputBytes)
        send(.compactionBegan(event))
        let result = Self.timed(body, &event.micros)
        switch result {
        case .success(let done): event.writtenBytes = done.writtenBytes
        case .failure(let error): event.error = error
        }
        send(.compactionEnded(event))
        return try result.get()
    }

    private static func timed<R>(
        _ body: () throws(StorageError) -> R, _ micros: inout UInt64
    ) -> Result<R, StorageError> {
        let began = falcon_monotonic_nanos()
        defer { micros = (falcon_monotonic_nanos() &- began) / 1000 }
        do throws(StorageError) { return .success(try body()) } catch { return .failure(error) }
    }
}
