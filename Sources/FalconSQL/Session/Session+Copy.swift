import FalconSchema
import FalconStorage

final class CopyInState {}

extension Session {
    func advanceCopy(
        _ copy: AST.Copy, _ run: StatementRun, _ sink: any ResultSink
    ) throws(SQLError) -> StatementStep {
        throw SQLError(.featureNotSupported, "COPY is not supported yet")
    }
    func continueCopy(_ sink: any ResultSink) -> SessionProgress { .finished }
    public func copyData(_ bytes: [UInt8], _ sink: any ResultSink) -> SessionProgress { .finished }
    public func copyDone(_ sink: any ResultSink) -> SessionProgress { .finished }
    public func copyFail(_ message: String, _ sink: any ResultSink) -> SessionProgress { .finished }
}
