import FalconSchema

/// Counts rows on their way to the client, or instead of it (MOVE).
final class CountingSink: ResultSink {
    private let inner: (any ResultSink)?
    private(set) var count = 0
    init(inner: (any ResultSink)?) { self.inner = inner }
    func rowDescription(_ columns: [ResultColumn]) { inner?.rowDescription(columns) }
    func row(_ values: [Datum], _ columns: [ResultColumn], formats: [Int16]) throws(SQLError) {
        count += 1
        try inner?.row(values, columns, formats: formats)
    }
    func commandComplete(_ tag: String) { inner?.commandComplete(tag) }
    func emptyQuery() { inner?.emptyQuery() }
    func portalSuspended() {}
    func notice(_ notice: SQLError) { inner?.notice(notice) }
    func parameterStatus(_ name: String, _ value: String) { inner?.parameterStatus(name, value) }
    func copyInResponse(_ format: CopyFormat, columnCount: Int) {
        inner?.copyInResponse(format, columnCount: columnCount)
    }
    func copyOutResponse(_ format: CopyFormat, columnCount: Int) {
        inner?.copyOutResponse(format, columnCount: columnCount)
    }
    func copyData(_ bytes: [UInt8]) { inner?.copyData(bytes) }
    func copyDone() { inner?.copyDone() }
    var wantsPause: Bool { inner?.wantsPause ?? false }
}
