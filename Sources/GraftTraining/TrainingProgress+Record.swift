import GraftFormats
import GraftTensor

/// Where training stands, by name, in a checkpoint.
extension TrainingProgress {
    var recorded: JSONObject {
        var object = JSONObject()
        object["step"] = .integer(step)
        object["total_steps"] = .integer(totalSteps)
        object["batch"] = .integer(batch)
        object["epoch"] = .integer(epoch)
        object["batch_in_epoch"] = .integer(batchInEpoch)
        object["evaluations_without_gain"] = .integer(evaluationsWithoutGain)
        object["phase"] = .string(phase.rawValue)
        object["is_finished"] = .bool(isFinished)
        object["data"] = data.map(Checkpoint.text) ?? .null
        object["latest"] = .object(latest.recorded)
        object["best"] = best.map { .object($0.recorded) } ?? .null
        return object
    }

    /// Refuses what no training reaches.
    init(_ object: JSONObject) throws(GraftError) {
        step = try object.reachable("step")
        totalSteps = try object.reachable("total_steps")
        batch = try object.reachable("batch")
        epoch = try object.reachable("epoch")
        batchInEpoch = try object.reachable("batch_in_epoch")
        evaluationsWithoutGain = try object.reachable("evaluations_without_gain")
        guard let phase = Phase(rawValue: try object.string("phase")) else {
            throw object.unexpected("phase", expected: "step, evaluation or closing")
        }
        self.phase = phase
        isFinished = try object.bool("is_finished")
        if let text = try object.optionalString("data") {
            guard let hash = UInt64(text, radix: 16) else { throw object.unexpected("data", expected: "64 bits") }
            data = hash
        }
        latest = try Metrics(try object.object("latest"), totalSteps: totalSteps)
        if let kept = try object.optionalObject("best") {
            best = try Metrics(kept, totalSteps: totalSteps)
            guard best?.evaluation != nil else { throw kept.unexpected("evaluation", expected: "what was measured") }
        }
    }
}

extension Metrics {
    var recorded: JSONObject {
        var object = JSONObject()
        object["loss"] = .double(loss)
        object["learning_rate"] = .double(learningRate)
        object["gradient_norm"] = .double(gradientNorm)
        object["tokens_per_second"] = .double(tokensPerSecond)
        object["step"] = .integer(step)
        object["epoch"] = .integer(epoch)
        object["row_count"] = .integer(rowCount)
        object["token_count"] = .integer(tokenCount)
        object["evaluation"] = evaluation.map { .object($0.recorded) } ?? .null
        return object
    }

    init(_ object: JSONObject, totalSteps: Int) throws(GraftError) {
        loss = try object.measure("loss")
        learningRate = try object.measure("learning_rate")
        gradientNorm = try object.measure("gradient_norm")
        tokensPerSecond = try object.measure("tokens_per_second")
        step = try object.reachable("step")
        epoch = try object.reachable("epoch")
        rowCount = try object.reachable("row_count")
        tokenCount = try object.reachable("token_count")
        self.totalSteps = totalSteps
        if let values = try object.optionalObject("evaluation") {
            evaluation = try Evaluation(values, rowCount: rowCount, tokenCount: tokenCount)
        }
    }
}

extension Evaluation {
    /// Its values by their names.
    fileprivate var recorded: JSONObject {
        var object = JSONObject()
        for (name, value) in values { object[name] = .double(value) }
        return object
    }

    fileprivate convenience init(_ object: JSONObject, rowCount: Int, tokenCount: Int) throws(GraftError) {
        var values: [(name: String, value: Double)] = []
        for (name, _) in object { values.append((name, try object.measure(name))) }
        self.init(values, rowCount: rowCount, tokenCount: tokenCount)
    }
}

extension StepSums {
    var recorded: JSONObject {
        var object = JSONObject()
        object["batches"] = .integer(batchCount)
        object["rows"] = .integer(rowCount)
        object["tokens"] = .integer(tokenCount)
        object["unit"] = .double(unit)
        object["weight"] = .double(weight)
        object["loss"] = .double(loss)
        return object
    }

    /// Refuses what no training reaches.
    init(_ object: JSONObject) throws(GraftError) {
        batchCount = try object.reachable("batches")
        rowCount = try object.reachable("rows")
        tokenCount = try object.reachable("tokens")
        unit = try object.double("unit")
        weight = try object.double("weight")
        loss = try object.double("loss")
        guard unit >= 0, unit <= weight, (unit > 0) == (weight > 0) else {
            throw object.unexpected("unit", expected: "the weight of one batch, of \(weight) together")
        }
    }
}
