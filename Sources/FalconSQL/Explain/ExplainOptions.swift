import FalconSchema

/// EXPLAIN's options.
struct ExplainOptions {
    var isAnalyzed = false
    var isVerbose = false
    var showsCosts = true
    var isTimed = true
    var showsSummary = false
    var isJSON = false

    init(_ options: [AST.Option]) throws(SQLError) {
        var timing: Bool?
        var summary: Bool?
        var countsLog = false
        for option in options {
            switch option.name.lowercased() {
            case "analyze": isAnalyzed = try option.flag()
            case "verbose": isVerbose = try option.flag()
            case "costs": showsCosts = try option.flag()
            case "timing": timing = try option.flag()
            case "summary": summary = try option.flag()
            case "wal": countsLog = try option.flag()
            case "buffers", "settings": _ = try option.flag()
            case "format": isJSON = try Self.isJSON(option)
            default:
                throw SQLError(
                    .syntaxError, "unrecognized EXPLAIN option \"\(option.name)\"",
                    byteOffset: option.location >= 0 ? option.location : nil)
            }
        }
        if countsLog, !isAnalyzed { throw Self.requiresAnalyze("WAL") }
        if timing ?? false, !isAnalyzed { throw Self.requiresAnalyze("TIMING") }
        isTimed = timing ?? isAnalyzed
        showsSummary = summary ?? isAnalyzed
    }

    private static func requiresAnalyze(_ name: String) -> SQLError {
        SQLError(.invalidParameterValue, "EXPLAIN option \(name) requires ANALYZE")
    }

    private static func isJSON(_ option: AST.Option) throws(SQLError) -> Bool {
        guard let format = option.stringValue else {
            throw SQLError(.syntaxError, "\(option.name) requires a parameter")
        }
        switch format {
        case "text": return false
        case "json": return true
        case "xml", "yaml":
            throw SQLError(
                .featureNotSupported, "EXPLAIN format \"\(format)\" is not supported yet",
                hint: "FORMAT may be TEXT or JSON.")
        default:
            throw SQLError(
                .invalidParameterValue,
                "unrecognized value for EXPLAIN option \"format\": \"\(format)\"",
                byteOffset: option.location >= 0 ? option.location : nil)
        }
    }
}
