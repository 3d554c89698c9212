/// What a connection may do next: the protocol's rules as a value, without I/O.
///
/// Messages go in, verdicts come out. One request runs at a time; input behind it waits in the
/// decoder. An error in the extended protocol skips everything up to the next Sync; COPY FROM STDIN
/// changes what messages mean.
struct ConnectionState: Sendable {
    /// The kind of a message, which is all that the rules look at.
    enum Input: Sendable {
        case query, functionCall
        /// Parse, Bind, Describe, Execute, Close.
        case extended
        case flush, sync, terminate
        case copyData, copyDone, copyFail
    }

    enum Verdict: Equatable, Sendable {
        case process
        case ignore
        /// The message cannot come now: the COPY in progress fails with 08P01.
        case failCopy
        case close
    }

    /// Who began the request in progress, which decides what its end sends.
    enum Origin: Equatable, Sendable { case simple, extended, sync }

    enum Phase: Equatable, Sendable {
        case startup
        case idle
        case running(Origin)
        /// COPY FROM STDIN waits for the client.
        case copyIn(Origin)
        /// COPY FROM STDIN is busy with a message.
        case copyRunning(Origin)
        case closed
    }

    /// What the end of a request makes the server send.
    enum Ending: Equatable, Sendable { case nothing, readyForQuery }

    private(set) var phase = Phase.startup
    private(set) var isSkippingToSync = false

    /// Whether the next message may be taken from the decoder.
    var acceptsMessage: Bool {
        switch phase {
        case .idle, .copyIn: true
        default: false
        }
    }

    /// Whether a request is under way, COPY's included.
    var isBusy: Bool {
        switch phase {
        case .running, .copyIn, .copyRunning: true
        default: false
        }
    }

    mutating func started() { if phase == .startup { phase = .idle } }
    mutating func close() { phase = .closed }

    /// Rules on the next message, and begins its request when it is to be processed.
    mutating func receive(_ input: Input) -> Verdict {
        switch phase {
        case .idle:
            switch input {
            case .terminate: return .close
            // What is left of a COPY that failed: accepted and dropped, as the protocol asks.
            case .copyData, .copyDone, .copyFail: return .ignore
            case .sync:
                isSkippingToSync = false
                phase = .running(.sync)
                return .process
            case .query, .functionCall:
                if isSkippingToSync { return .ignore }
                phase = .running(.simple)
                return .process
            case .extended:
                if isSkippingToSync { return .ignore }
                phase = .running(.extended)
                return .process
            case .flush: return isSkippingToSync ? .ignore : .process
            }
        case .copyIn(let origin):
            switch input {
            case .copyData, .copyDone, .copyFail:
                phase = .copyRunning(origin)
                return .process
            case .flush, .sync: return .ignore
            case .terminate: return .close
            case .query, .functionCall, .extended:
                phase = .copyRunning(origin)
                return .failCopy
            }
        case .startup, .running, .copyRunning, .closed: return .ignore
        }
    }

    /// The session has begun COPY FROM STDIN.
    mutating func beganCopyIn() {
        switch phase {
        case .running(let origin), .copyRunning(let origin): phase = .copyIn(origin)
        default: break
        }
    }

    /// The request in progress is complete.
    mutating func finished() -> Ending {
        switch phase {
        case .running(let origin), .copyRunning(let origin):
            phase = .idle
            return origin == .extended ? .nothing : .readyForQuery
        default: return .nothing
        }
    }

    /// The request in progress failed and its error is about to be sent.
    mutating func failed() -> Ending {
        switch phase {
        case .running(let origin), .copyRunning(let origin):
            phase = .idle
            if origin == .extended {
                isSkippingToSync = true
                return .nothing
            }
            return .readyForQuery
        default: return .nothing
        }
    }
}
