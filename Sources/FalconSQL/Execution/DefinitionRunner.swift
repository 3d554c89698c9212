import FalconSchema
import FalconStorage

/// Runs DDL: ordinary writes on the catalog, and on storage.
struct DefinitionRunner {
    let session: Session
    let sql: String
    let sink: any ResultSink

    static func tag(_ statement: AST.Statement) -> String { "DDL" }

    func run(_ statement: AST.Statement) throws(SQLError) -> String {
        throw SQLError(.featureNotSupported, "this statement is not supported yet")
    }
}
