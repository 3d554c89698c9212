/// A commit that backpressure holds back: until it has its place in the log, it can be taken back.
///
/// Thread-safe.
public final class CommitTicket: @unchecked Sendable {
    private let pacer: CommitPacer

    init(pacer: CommitPacer) { self.pacer = pacer }

    /// Takes the commit back: its completion is called, on this thread, with `cancelled`. Without
    /// effect once the commit has been ordered; it then ends as every other.
    public func cancel() { pacer.cancel(self) }
}
