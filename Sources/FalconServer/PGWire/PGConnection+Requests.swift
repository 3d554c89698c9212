import FalconSQL
import FalconSchema

extension PGConnection {
    /// Gives one message to the session, if the protocol lets it come now.
    func process(_ message: FrontendMessage) {
        guard let session, admit(Self.input(of: message), message.tag) else { return }
        completionTag = 0
        isOnWorker = false
        switch message {
        case .query(let sql):
            sink.sql = sql
            settle(session.simpleQuery(sql, sink))
        case .parse(let name, let sql, let parameterTypes):
            sink.sql = sql
            completionTag = BackendTag.parseComplete
            settle(session.parse(name: name, sql: sql, parameterTypes: parameterTypes, sink))
        case .bind(let portal, let statement, let parameters, let resultFormats):
            completionTag = BackendTag.bindComplete
            settle(
                session.bind(
                    portal: portal, statement: statement, parameters: parameters,
                    resultFormats: resultFormats, sink))
        case .execute(let portal, let maxRows):
            settle(session.execute(portal: portal, maxRows: max(0, maxRows), sink))
        case .describe(let target): describe(target, session)
        case .close(let target):
            switch target {
            case .statement(let name): session.closeStatement(name)
            case .portal(let name): session.closePortal(name)
            }
            completionTag = BackendTag.closeComplete
            settle(.finished)
        case .sync: settle(session.sync(sink))
        case .flush: sink.needsFlush = true
        case .copyData(let bytes):
            isCopyDataStep = true
            settle(session.copyData(bytes, sink))
        case .copyDone: settle(session.copyDone(sink))
        case .copyFail(let reason): settle(session.copyFail(reason, sink))
        case .functionCall(let function, let arguments, let resultFormat):
            sink.functionResultFormat = resultFormat
            settle(session.callFunction(function, arguments, sink))
        case .terminate: break
        }
    }

    /// A message whose body made no sense: an error in its place.
    func reject(_ tag: UInt8, _ error: SQLError) {
        let input: ConnectionState.Input
        switch tag {
        case FrontendTag.query: input = .query
        case FrontendTag.functionCall: input = .functionCall
        case FrontendTag.sync: input = .sync
        case FrontendTag.flush: input = .flush
        case FrontendTag.copyDone, FrontendTag.copyFail: input = .copyFail
        default: input = .extended
        }
        if input == .flush { return endFatally(error) }
        guard admit(input, tag) else { return }
        if input == .copyFail, let session {
            copyFailure = error
            settle(session.copyFail(error.message, sink))
        } else {
            failHere(error)
        }
    }

    /// Asks the rules; true when the message is to be processed.
    private func admit(_ input: ConnectionState.Input, _ tag: UInt8) -> Bool {
        switch state.receive(input) {
        case .process: return true
        case .ignore: return false
        case .close:
            context?.close(promise: nil)
            return false
        case .failCopy:
            let digits = String(tag, radix: 16, uppercase: true)
            loseCopy(
                SQLError(
                    .protocolViolation,
                    "unexpected message type 0x\(digits) during COPY from stdin"))
            return false
        }
    }

    /// Fails the COPY in progress and ends the connection: as in PostgreSQL, what the client says and
    /// what the server expects no longer agree.
    func loseCopy(_ error: SQLError) {
        guard let session else { return }
        copyFailure = error
        endsAfterFailure = true
        settle(session.copyFail(error.message, sink))
    }

    private func describe(_ target: WireTarget, _ session: any WireSession) {
        do throws(SQLError) {
            switch target {
            case .statement(let name):
                let description = try session.describeStatement(name)
                sink.out.appendParameterDescription(description.parameterTypes)
                appendColumns(description.columns, formats: [])
            case .portal(let name):
                let (columns, formats) = try session.describePortal(name)
                appendColumns(columns, formats: formats)
            }
        } catch {
            return failHere(error)
        }
        settle(.finished)
    }

    private func appendColumns(_ columns: [ResultColumn]?, formats: [Int16]) {
        if let columns {
            sink.out.appendRowDescription(columns, formats: formats)
        } else {
            sink.out.appendEmptyMessage(BackendTag.noData)
        }
    }

    /// An error that arose here, not in the session: the session's transaction has to know.
    private func failHere(_ error: SQLError) {
        session?.protocolError()
        guard case .running(.extended) = state.phase else {
            sendError(error)
            // What a Sync does: ends a transaction that nobody began explicitly.
            if let session { settle(session.sync(sink)) }
            return
        }
        settle(.failed(error))
    }

    private static func input(of message: FrontendMessage) -> ConnectionState.Input {
        switch message {
        case .query: .query
        case .functionCall: .functionCall
        case .parse, .bind, .describe, .execute, .close: .extended
        case .flush: .flush
        case .sync: .sync
        case .terminate: .terminate
        case .copyData: .copyData
        case .copyDone: .copyDone
        case .copyFail: .copyFail
        }
    }
}
