/// What is known of a transaction that several parties decide together.
public struct TransactionOutcome: Sendable, Hashable {
    /// How far it is. Raw values live on disk.
    public enum State: UInt8, Sendable {
        /// Its participants have promised; nobody has decided.
        case prepared = 1
        /// It was decided that it took place.
        case committed = 2
        /// It was decided that it did not.
        case aborted = 3
    }

    /// How far it is.
    public var state: State
    /// What the preparer said of the participants; the store does not look into it.
    public var participants: [UInt8]
    /// When it was prepared, in microseconds since 1970.
    public var preparedMicros: UInt64
    /// When it was decided, in microseconds since 1970; 0: not yet.
    public var decidedMicros: UInt64 = 0
    /// In how many rows of its own the payload is; 0 once it is decided.
    public internal(set) var payloadParts: UInt32 = 0

    static let format: UInt8 = 2

    /// `format u8, state u8, prepared micros u64, decided micros u64, payload parts u32, participants`
    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: 22 + participants.count)
        writer.append(Self.format)
        writer.append(state.rawValue)
        writer.appendFixed(preparedMicros)
        writer.appendFixed(decidedMicros)
        writer.appendFixed(payloadParts)
        writer.append(contentsOf: participants)
        return writer.bytes
    }

    init(
        state: State, participants: [UInt8], preparedMicros: UInt64, decidedMicros: UInt64 = 0
    ) {
        self.state = state
        self.participants = participants
        self.preparedMicros = preparedMicros
        self.decidedMicros = decidedMicros
    }

    init?(_ value: [UInt8]) {
        let head = value.withUnsafeBytes { bytes -> (State, UInt64, UInt64, UInt32)? in
            var reader = ByteReader(bytes)
            guard reader.readByte() == Self.format, let code = reader.readByte(),
                let state = State(rawValue: code), let prepared = reader.readFixed(UInt64.self),
                let decided = reader.readFixed(UInt64.self),
                let parts = reader.readFixed(UInt32.self)
            else { return nil }
            return (state, prepared, decided, parts)
        }
        guard let head else { return nil }
        self.init(
            state: head.0, participants: Array(value[22...]), preparedMicros: head.1,
            decidedMicros: head.2)
        payloadParts = head.3
    }
}
