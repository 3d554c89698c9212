import FalconStorage

/// How the log ends, and what recovery will make of it.
struct WALOutcome {
    /// `clean`, `torn-tail` or `corruption`: the state of the log's bytes.
    let verdict: String
    /// Why the server refuses the directory; nil when it recovers.
    let refusal: String?
    /// How far recovery gets, or the log is good.
    let end: LSN
    /// The last commit up to there.
    let reach: WALSurvey.Reach
    /// Commits behind it that can be read all the same.
    let commitsBehind: Int
    let discardedBytes: UInt64
    private let flushedLSN: LSN
    private let replayedCommits: Int

    /// `forecast` is there where the log was found damaged.
    init(
        _ reader: WALReader, _ survey: WALSurvey, _ forecast: RecoveryForecast?,
        refusedFor problem: StorageError?, missing: WALDamage?
    ) {
        var found =
            switch reader.verdict {
            case .clean: "clean"
            case .tornTail: "torn-tail"
            case .corruption: "corruption"
            }
        if missing != nil || survey.firstDoubt != nil { found = "corruption" }
        verdict = found
        if let missing {
            end = missing.goodUntil
            refusal = missing.reason
        } else {
            end = forecast.map { $0.end ?? survey.firstDoubt ?? .zero } ?? reader.verdict.end
            refusal = problem?.message ?? forecast?.refusal?.message
        }
        reach = survey.reach(to: end)
        commitsBehind = survey.reach.commits - reach.commits
        if case .tornTail(_, _, _, let bytes) = reader.verdict {
            discardedBytes = bytes
        } else {
            discardedBytes = 0
        }
        flushedLSN = survey.flushedLSN
        replayedCommits = max(0, survey.replayedCommits - commitsBehind)
    }

    func report(_ report: ReportWriter) {
        report.set("verdict", .string(verdict))
        report.set("recovery", .string(refusal == nil ? "recovers" : "refuses"))
        report.set("recovery_refusal", .text(refusal))
        report.set("recovers_to_lsn", .text(end))
        report.set("recovers_to_transaction", reach.transaction.map { .unsigned($0) } ?? .null)
        report.set("recovers_to_timestamp", .text(reach.timestamp))
        report.set("recovers_to_time", .text(reach.wallMicros.map { ToolTime.format($0) }))
        report.set("replays_from_lsn", .text(flushedLSN))
        report.set("replays_commits", .count(refusal == nil ? replayedCommits : 0))
        report.set("commits_behind", .count(commitsBehind))
        report.set("discarded_bytes", .unsigned(discardedBytes))
        report.line(text)
    }

    private var endText: String {
        guard let transaction = reach.transaction, let wall = reach.wallMicros else { return "" }
        return ", transaction \(transaction) of \(ToolTime.format(wall))"
    }

    private var text: String {
        var text = "verdict: \(verdict == "torn-tail" ? "torn tail" : verdict); "
        guard refusal == nil else {
            text += "recovery refuses; the log is good up to \(end)\(endText)"
            if commitsBehind > 0 { text += "; \(commitsBehind) commits behind it can be read" }
            return text
        }
        text += "recovery goes to \(end)\(endText)"
        if discardedBytes > 0 { text += " and discards \(discardedBytes) bytes" }
        if verdict == "corruption" {
            text +=
                "; the damage lies before \(flushedLSN), where the tables end: it does not "
                + "read it, restores and change capture do"
        }
        return text
    }
}
