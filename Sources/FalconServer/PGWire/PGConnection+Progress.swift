import FalconSQL
import FalconSchema

extension PGConnection {
    /// Acts on what a request has come to. On the event loop.
    func settle(_ progress: SessionProgress) {
        guard state.phase != .closed else { return settleAfterClose(progress) }
        switch progress {
        case .finished:
            if isCopyDataStep {
                isCopyDataStep = false
                awaitCopyData()
                return
            }
            if completionTag != 0 {
                sink.out.appendEmptyMessage(completionTag)
                completionTag = 0
            }
            end(state.finished())
        case .failed(let error):
            isCopyDataStep = false
            completionTag = 0
            var reported = copyFailure ?? error
            if reported.context == nil { reported.context = error.context }
            copyFailure = nil
            sendError(reported)
            if endsAfterFailure {
                _ = state.failed()
                return endFatally(
                    SQLError(
                        .protocolViolation,
                        "terminating connection because protocol synchronization was lost"))
            }
            if reported.severity == .fatal || reported.severity == .panic {
                _ = state.failed()
                return closeAfterFlush()
            }
            end(state.failed())
        case .waiting(let wait):
            wait.onReady { [self] in
                eventLoop.execute { [self] in resumeHere() }
            }
        case .paused:
            sink.handOn()
            resumeWhenDrained()
        case .needsWorker: resumeOnWorker()
        case .copyIn:
            isCopyDataStep = false
            awaitCopyData()
        }
    }

    /// COPY FROM STDIN waits for its client, unless it has been told to end meanwhile.
    private func awaitCopyData() {
        state.beganCopyIn()
        endIfAskedBefore()
    }

    func sendError(_ error: SQLError) {
        server.metrics.errors.wrappingAdd(1, ordering: .relaxed)
        sink.out.appendError(error, sql: sink.sql)
        sink.needsFlush = true
    }

    private func end(_ ending: ConnectionState.Ending) {
        sink.sql = nil
        sink.functionResultFormat = nil
        if ending == .readyForQuery, let session {
            appendNotifications()
            sink.out.appendReadyForQuery(session.transactionStatus)
            sink.needsFlush = true
        }
        if terminationRequested { return endByAdministrator() }
        endIfAskedBefore()
    }

    private func resumeHere() {
        guard let session else { return }
        isOnWorker = false
        settle(session.resume(sink))
        drive()
    }

    private func resumeOnWorker() {
        guard let session else { return }
        isOnWorker = true
        // Answers to earlier messages do not wait for this one, and the worker writes after them.
        if sink.needsFlush { flush() }
        workerHoldsSink = true
        server.metrics.workerJobs.wrappingAdd(1, ordering: .relaxed)
        server.workers.submit { [self] in
            var progress = session.resume(sink)
            // After a pause the session asks again for what it already has.
            while case .needsWorker = progress { progress = session.resume(sink) }
            let settled = progress
            eventLoop.execute { [self] in
                workerHoldsSink = false
                if let end = endWhenReturned {
                    endWhenReturned = nil
                    end()
                }
                settle(settled)
                drive()
            }
        }
    }

    private func resumeWhenDrained() {
        let resume: () -> Void = { [self] in
            if isOnWorker {
                resumeOnWorker()
            } else {
                eventLoop.execute { [self] in resumeHere() }
            }
        }
        if sink.hasDrained { resume() } else { sink.onDrained = resume }
    }

    /// The client is gone: the request runs to its end, which the cancellation has brought near, and
    /// the session closes.
    private func settleAfterClose(_ progress: SessionProgress) {
        sink.out.removeAll()
        switch progress {
        case .finished, .failed: closeSession(abandoningCopy: false)
        case .copyIn: closeSession(abandoningCopy: true)
        case .waiting(let wait):
            wait.onReady { [self] in
                eventLoop.execute { [self] in resumeHere() }
            }
        case .paused, .needsWorker: resumeOnWorker()
        }
    }
}
