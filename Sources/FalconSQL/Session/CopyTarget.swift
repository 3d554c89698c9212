import FalconSchema

/// What makes COPY data of rows, in one of its formats.
protocol CopyTarget: ResultSink {
    /// The client knows that data follows.
    var isStarted: Bool { get set }
    var rows: Int64 { get }
    /// What comes after the last row.
    func end()
}

extension CopyTarget {
    func end() {}
    func commandComplete(_ tag: String) {}
    func emptyQuery() {}
    func portalSuspended() {}
    func copyInResponse(_ format: CopyFormat, columnCount: Int) {}
    func copyOutResponse(_ format: CopyFormat, columnCount: Int) {}
    func copyData(_ bytes: [UInt8]) {}
    func copyDone() {}
}
