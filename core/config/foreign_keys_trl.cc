// The fields of TRL's GRPOConfig, SFTConfig, DPOConfig and what they inherit, and OpenRLHF's flags.
#include "core/config/foreign_keys.h"

namespace ponder {
namespace {

constexpr std::string_view kNoShare = "a number of optimizer updates, not a share";
constexpr std::string_view kNoFolder = "{preset: NAME} or another run's checkpoint, no folder yet";
constexpr std::string_view kTotal = "tokens of prompt and answer together";
constexpr std::string_view kWholeDistribution = "samples come from the whole distribution";
constexpr std::string_view kNoEngine = "workers decode with the trainer's own forward";
constexpr std::string_view kNoDpo = "there is no DPO yet";
constexpr std::string_view kFloat = "float32, for now";
constexpr std::string_view kSharded = "the optimizer is always sharded over the ranks";
constexpr std::string_view kRanks = "processes; on a cluster mpirun or srun says how many";
constexpr std::string_view kMicroBatch =
    "tokens of one forward on a rank; what is learned is the same";

constexpr ForeignKey kTrlKeys[] = {
    {"output_dir", "run.dir", "the run's folder is run.dir/run.name"},
    {"run_name", "run.name", "never used again for another experiment"},
    {"seed", "run.seed", "42 there, 1 here"},
    {"data_seed", "run.seed", ""},
    {"model_name_or_path", "models.NAME.init", kNoFolder},
    {"dataset_name", "tasks", "a task makes the problems; data files cannot be read yet"},
    {"learning_rate", "stages[].optimizer.learning_rate",
     "1e-6 (GRPO) and 2e-5 (SFT) there, 1e-3 here"},
    {"adam_beta1", "stages[].optimizer.betas", "the first of the two"},
    {"adam_beta2", "stages[].optimizer.betas", "the second of the two"},
    {"adam_epsilon", "stages[].optimizer.epsilon", "1e-8 in both"},
    {"weight_decay", "stages[].optimizer.weight_decay", "norms and biases decay here, too"},
    {"max_grad_norm", "stages[].optimizer.max_grad_norm", "1 in both"},
    {"lr_scheduler_type", "stages[].schedule.name", "linear there, constant here"},
    {"lr_scheduler_kwargs", "stages[].schedule.final_ratio", ""},
    {"warmup_steps", "stages[].schedule.warmup_steps", "optimizer updates, in both"},
    {"warmup_ratio", "stages[].schedule.warmup_steps", kNoShare},
    {"num_train_epochs", "stages[].data.num_epochs",
     "of sft, over data.num_demonstrations; grpo has num_steps"},
    {"max_steps", "stages[].num_steps",
     "one optimizer update there, all updates of a batch of prompts here"},
    {"per_device_train_batch_size", "stages[].batch_size",
     "over all ranks; for grpo it is stages[].prompts_per_step, prompts and not answers"},
    {"generation_batch_size", "stages[].prompts_per_step",
     "answers there, prompts here: generation_batch_size / num_generations"},
    {"steps_per_generation", "stages[].num_minibatches", "updates of one pass"},
    {"gradient_accumulation_steps", "trainer.micro_batch_tokens", kMicroBatch},
    {"num_generations", "stages[].samples_per_prompt", "8 in both"},
    {"num_generations_eval", "evaluation[].num_samples", ""},
    {"num_iterations", "stages[].num_epochs", ""},
    {"max_completion_length", "stages[].rollout.max_new_tokens", "256 there, 64 here"},
    {"max_prompt_length", "stages[].rollout.max_total_tokens", kTotal},
    {"max_length", "", "a demonstration is never cut"},
    {"max_seq_length", "", "a demonstration is never cut"},
    {"temperature", "stages[].rollout.temperature", "in sampling and in the loss, in both"},
    {"top_p", "", kWholeDistribution},
    {"top_k", "", kWholeDistribution},
    {"min_p", "", kWholeDistribution},
    {"repetition_penalty", "", kWholeDistribution},
    {"beta", "", "there is no KL term and no DPO yet; GRPOConfig's beta is 0 by default"},
    {"epsilon", "stages[].clip.low", "0.2 in both"},
    {"epsilon_high", "stages[].clip.high", "as low unless given, in both"},
    {"delta", "", "there is no second bound of the ratio"},
    {"loss_type", "stages[].aggregation",
     "dapo: token_mean; grpo: sequence_mean_token_mean; dr_grpo: constant_length; the others are "
     "not there"},
    {"scale_rewards", "stages[].advantage_std",
     "group, batch or none, in both; the deviation is + 1e-4 there, + 1e-6 here"},
    {"reward_funcs", "stages[].rewards", "a list of named sources"},
    {"reward_weights", "stages[].rewards[].weight", ""},
    {"importance_sampling_level", "", "always of the token"},
    {"mask_truncated_completions", "", "answers that ran out of tokens are trained on"},
    {"top_entropy_quantile", "", "all sampled tokens are trained on"},
    {"sync_ref_model", "", "there is no reference model"},
    {"use_vllm", "", kNoEngine},
    {"vllm_mode", "", kNoEngine},
    {"vllm_gpu_memory_utilization", "", kNoEngine},
    {"save_steps", "checkpoint.save_steps", "500 there, 20 here"},
    {"save_strategy", "checkpoint.save_steps", ""},
    {"save_total_limit", "checkpoint.keep", "all there by default, 3 here"},
    {"resume_from_checkpoint", "checkpoint.resume", "auto by default: start the run again"},
    {"metric_for_best_model", "checkpoint.best.metric", "of the evaluation that best names"},
    {"greater_is_better", "checkpoint.best.mode", "max or min"},
    {"load_best_model_at_end", "checkpoint.best",
     "it is kept, and named by models.NAME.init {run: NAME, step: best}"},
    {"eval_steps", "evaluation[].every_steps", "the loss of sft: stages[].validation.every_steps"},
    {"eval_strategy", "evaluation[].every_steps", ""},
    {"per_device_eval_batch_size", "", "evaluation needs none"},
    {"logging_steps", "", "every step is logged"},
    {"log_completions", "", "evaluations write samples/ of the run's folder"},
    {"report_to", "", "all metrics are always written to the run's folder"},
    {"bf16", "", kFloat},
    {"fp16", "", kFloat},
    {"gradient_checkpointing", "", "activations are kept"},
    {"deepspeed", "", kSharded},
    {"fsdp", "", kSharded},
    {"packing", "", "batches are always packed, and no sequence is cut"},
    {"padding_free", "", "always"},
    {"completion_only_loss", "", "always"},
    {"assistant_only_loss", "", "only the demonstration is trained, always"},
    {"use_peft", "", "there are no adapters yet"},
    {"lora_r", "", "there are no adapters yet"},
    {"label_smoothing", "", kNoDpo},
    {"precompute_ref_log_probs", "", kNoDpo},
    {"rpo_alpha", "", kNoDpo},
};

constexpr ForeignKey kOpenRlhfKeys[] = {
    {"pretrain", "models.NAME.init", kNoFolder},
    {"prompt_data", "tasks", "a task makes the problems; data files cannot be read yet"},
    {"advantage_estimator", "stages[].algorithm", "group_norm: grpo; it is the one that is there"},
    {"rollout_batch_size", "stages[].prompts_per_step", "prompts over all ranks, in both"},
    {"n_samples_per_prompt", "stages[].samples_per_prompt", "1 there, 8 here"},
    {"train_batch_size", "stages[].num_minibatches",
     "a count, not a size: rollout_batch_size * n_samples_per_prompt / train_batch_size"},
    {"micro_train_batch_size", "trainer.micro_batch_tokens", kMicroBatch},
    {"max_epochs", "stages[].num_epochs", ""},
    {"num_episodes", "stages[].num_steps", "steps, not passes over a data set"},
    {"generate_max_len", "stages[].rollout.max_new_tokens", "1024 there, 64 here"},
    {"prompt_max_len", "stages[].rollout.max_total_tokens", kTotal},
    {"eps_clip", "stages[].clip.low", "and stages[].clip.high"},
    {"eps_clip_low_high", "stages[].clip.low", "and stages[].clip.high"},
    {"dual_clip", "", "off, in both"},
    {"init_kl_coef", "", "there is no KL term"},
    {"actor_learning_rate", "stages[].optimizer.learning_rate", "1e-6 there, 1e-3 here"},
    {"adam_betas", "stages[].optimizer.betas", "[0.9, 0.95] there, [0.9, 0.999] here"},
    {"no_advantage_std_norm", "stages[].advantage_std", "none; the default is group"},
    {"l2", "stages[].optimizer.weight_decay", "0 in both"},
    {"max_norm", "stages[].optimizer.max_grad_norm", "1 in both"},
    {"lr_warmup_ratio", "stages[].schedule.warmup_steps", kNoShare},
    {"remote_rm_url", "stages[].rewards", "a list of named sources"},
    {"async_train", "stages[].max_staleness", "1 or more"},
    {"async_queue_size", "stages[].max_staleness", "versions, not batches; the run stays exact"},
    {"vllm_num_engines", "launch.workers", kNoEngine},
    {"actor_num_nodes", "launch.trainer_ranks", kRanks},
    {"actor_num_gpus_per_node", "launch.trainer_ranks", kRanks},
    {"zero_stage", "", kSharded},
    {"ckpt_path", "run.dir", "the run's folder is run.dir/run.name"},
    {"save_path", "run.dir", "every checkpoint has a Hugging Face folder, policy/"},
    {"max_ckpt_num", "checkpoint.keep", "3 in both"},
    {"load_checkpoint", "checkpoint.resume", "auto by default: start the run again"},
};

}  // namespace

std::span<const ForeignKey> TrlKeys() { return kTrlKeys; }
std::span<const ForeignKey> OpenRlhfKeys() { return kOpenRlhfKeys; }

}  // namespace ponder
