@testable import FalconToolKit

/// A server that gives the answers it was told to, and keeps what it was asked.
final class ScriptedServer: ControlServer, ControlConnector {
    struct Question: Equatable {
        let sql: String
        let parameters: [String?]
    }

    /// The answers by a word of their statement; a word's answers are given in order, the last one again and again.
    private var answers: [(word: String, results: [Result<ControlRows, ControlFailure>])]
    private let refusal: ControlFailure?
    private let notices: [String]
    private(set) var questions: [Question] = []
    private(set) var settings: [(String, String)] = []
    private(set) var isClosed = false

    init(
        _ answers: [(String, [Result<ControlRows, ControlFailure>])] = [],
        refusing refusal: ControlFailure? = nil, notices: [String] = []
    ) {
        self.answers = answers
        self.refusal = refusal
        self.notices = notices
    }

    func connect(
        _ settings: [(String, String)], _ watch: ControlWatch
    ) throws(ControlFailure) -> any ControlServer {
        self.settings = settings
        if let refusal { throw refusal }
        for notice in notices { watch.notice(notice) }
        return self
    }

    func query(_ sql: String, _ parameters: [String?]) throws(ControlFailure) -> ControlRows {
        if sql.contains("set_config") { return ControlRows(columns: [], rows: []) }
        questions.append(Question(sql: sql, parameters: parameters))
        guard let index = answers.firstIndex(where: { sql.contains($0.word) }),
            let result = answers[index].results.first
        else { return ControlRows(columns: [], rows: []) }
        if answers[index].results.count > 1 { answers[index].results.removeFirst() }
        return try result.get()
    }

    func close() { isClosed = true }

    /// Runs falconctl against it.
    func run(
        _ arguments: [String], interruption: @escaping @Sendable () -> Bool = { false }
    ) -> ToolRun {
        let out = MemoryStream()
        let err = MemoryStream()
        let context = ToolContext(
            standardOutput: out, standardError: err, interruption: interruption, sleep: { _ in })
        let exit = FalconCtl.run(arguments, self, context)
        return ToolRun(exit: exit, output: out.text, diagnostics: err.text)
    }

    /// One row.
    static func row(_ columns: [(String, String?)]) -> Result<ControlRows, ControlFailure> {
        .success(ControlRows(columns: columns.map(\.0), rows: [columns.map(\.1)]))
    }
}
