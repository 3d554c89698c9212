import FalconSchema

/// Counts a cursor's rows on their way to the client, in the formats it asked for, or instead of it (MOVE).
final class CountingSink: ResultSink {
    private let inner: (any ResultSink)?
    private(set) var count = 0
    private let formats: [Int16]
    init(inner: (any ResultSink)?, formats: [Int16]) {
        self.inner = inner
        self.formats = formats
    }
    func rowDescription(_ columns: [ResultColumn]) { inner?.rowDescription(columns) }
    func row(_ values: [Datum], _ columns: [ResultColumn], formats: [Int16]) throws(SQLError) {
        count += 1
        try inner?.row(values, columns, formats: self.formats)
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
