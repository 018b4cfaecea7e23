/// Takes a training step on a model and prints the loss, through the C interface that the package
/// gives to Swift.
///
///     consumer MODEL
import CGraft

func check(_ status: graft_status) {
    if status != GRAFT_OK { fatalError(String(cString: graft_last_error_message())) }
}

var model, adapter, batch, trainer: OpaquePointer?
check(graft_model_load(CommandLine.arguments[1], nil, &model))
check(graft_adapter_create(model, "lora", nil, 7, &adapter))
"no".withCString { no in
    "yes".withCString { yes in
        let labels: [UnsafePointer<CChar>?] = [no, yes]
        check(graft_adapter_set_head(adapter, "sequence_classification", labels, 2, nil))
    }
}
check(graft_batch_create([2, 13, 24, 35, 46], nil, [2, 3], 2, &batch))
check(graft_batch_set_integers(batch, "labels", [0, 1], 2, 1))
check(graft_trainer_create(model, adapter, nil, &trainer))
var metrics = graft_metrics()
graft_metrics_init(&metrics, MemoryLayout<graft_metrics>.size)
check(graft_trainer_step(trainer, batch, &metrics))
print("Graft", String(cString: graft_version_string()), "loss", metrics.loss)
graft_trainer_release(trainer)
graft_batch_release(batch)
graft_adapter_release(adapter)
graft_model_release(model)
