// Two devices in C learn one line, y = slope x + offset. One of them has only ever measured x < 0, the other one x > 0, and
// neither sees the other's samples: they meet, and average their models. The frames between them are copied here where a
// radio or a wire would carry them. Half-way the first device loses its power, and goes on from its last checkpoint.
//
//     two_devices [CHECKPOINT_FILE]
#include <popsgd/popsgd.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLES = 32, PARAMETERS = 2, ROUNDS = 100, FRAME = 256, SLOT = 2048 };

// --- the model: a network of one layer, fitted by least squares. A gradient of one's own would be a function in its place.

static const uint32_t widths[] = {1, 1};
static const popsgd_network line = {widths, 2, POPSGD_SQUARED};

// --- a device: all memory is its own, as in firmware

typedef struct device {
  float x[SAMPLES];
  float y[SAMPLES];
  popsgd_batch batch;
  float model[PARAMETERS];  // slope, offset
  float scratch[2 * SAMPLES];
  uint64_t memory[512];
  popsgd_agent* agent;
} device;

static device devices[2];

static const popsgd_batch* next_batch(void* context) {
  return &((device*)context)->batch;
}

// Noisy measurements: of x < 0 for side -1, of x > 0 for side 1.
static void measure(device* self, float side, uint32_t stream) {
  popsgd_random random;
  popsgd_random_init(&random, 1, stream);
  for (int k = 0; k < SAMPLES; ++k) {
    self->x[k] = side * popsgd_random_uniform(&random);
    self->y[k] = 0.5F * self->x[k] - 0.25F + 0.2F * (popsgd_random_uniform(&random) - 0.5F);
  }
  self->batch = (popsgd_batch){.rows = SAMPLES, .features = self->x, .targets = self->y};
}

// Bytes nobody can foretell. PORT: this is none; a device has a generator of random words.
static popsgd_status not_random(void* context, void* into, size_t length) {
  memset(into, ++*(unsigned char*)context, length);
  return POPSGD_OK;
}

static void configure(popsgd_agent_config* config) {
  static unsigned char draws;
  const popsgd_entropy entropy = {not_random, &draws};
  popsgd_agent_config_init(config, sizeof *config);
  popsgd_draw_seed(&entropy, &config->seed);  // another at every start
  config->fingerprint = 0x6C696E65;           // devices of another model or swarm are refused
  config->fresh = false;
  config->schedule.eta = 0.5F;
  config->mean_wait = 0;  // they meet when main() says so
  config->largest_frame = FRAME;
  config->peers = 1;
  config->guarding.gate = false;  // with one partner there are no others to tell how far is too far
}

static popsgd_status start(device* self) {
  popsgd_agent_config config;
  popsgd_learner learner = {0};
  popsgd_status status;
  configure(&config);
  memset(self->model, 0, sizeof self->model);
  learner.model = self->model;
  learner.gradient = popsgd_network_gradient(&line, SAMPLES);
  learner.source.function = next_batch;
  learner.source.context = self;
  learner.scratch = self->scratch;
  learner.scratch_count = sizeof self->scratch / sizeof self->scratch[0];
  status = popsgd_agent_init_float(&self->agent, &config, &learner, self->memory, sizeof self->memory, 0);
  if (status != POPSGD_OK) return status;
  return popsgd_agent_add_peer(self->agent, 0, FRAME, true);
}

// --- checkpoints: two slots in one file. PORT: two regions of flash, each erased as a whole.

static popsgd_status file_read(void* context, unsigned slot, size_t offset, void* into, size_t length) {
  if (fseek(context, (long)(slot * SLOT + offset), SEEK_SET) != 0) return POPSGD_STORE_FAILED;
  return fread(into, 1, length, context) == length ? POPSGD_OK : POPSGD_STORE_FAILED;
}

static popsgd_status file_write(void* context, unsigned slot, size_t offset, const void* page) {
  if (fseek(context, (long)(slot * SLOT + offset), SEEK_SET) != 0) return POPSGD_STORE_FAILED;
  return fwrite(page, 1, POPSGD_PAGE, context) == POPSGD_PAGE ? POPSGD_OK : POPSGD_STORE_FAILED;
}

static popsgd_status file_erase(void* context, unsigned slot) {
  static const unsigned char blank[POPSGD_PAGE];
  for (size_t offset = 0; offset < SLOT; offset += POPSGD_PAGE) {
    const popsgd_status status = file_write(context, slot, offset, blank);
    if (status != POPSGD_OK) return status;
  }
  return POPSGD_OK;
}

// C knows no more than this: the bytes are with the operating system, not yet on the disk.
static popsgd_status file_sync(void* context) {
  return fflush(context) == 0 ? POPSGD_OK : POPSGD_STORE_FAILED;
}

static popsgd_status open_store(popsgd_store* store, const char* path) {
  const popsgd_store file = {SLOT, file_read, file_write, file_erase, file_sync, fopen(path, "w+b")};
  *store = file;
  if (store->context == NULL) return POPSGD_STORE_FAILED;
  for (unsigned slot = 0; slot < POPSGD_SLOTS; ++slot) {
    const popsgd_status status = file_erase(store->context, slot);
    if (status != POPSGD_OK) return status;
  }
  return POPSGD_OK;
}

// --- what happens

// An exchange: frames go to and fro until neither has one to send.
static popsgd_status meet(popsgd_time now) {
  uint64_t frame[FRAME / sizeof(uint64_t)];
  popsgd_status status = popsgd_agent_meet(devices[0].agent, 0, now);
  bool quiet = false;
  while (status == POPSGD_OK && !quiet) {
    quiet = true;
    for (int from = 0; from < 2; ++from) {
      popsgd_outgoing out;
      while ((status = popsgd_agent_send(devices[from].agent, frame, sizeof frame, now, &out)) == POPSGD_OK &&
             out.size > 0) {
        status = popsgd_agent_receive(devices[1 - from].agent, 0, frame, out.size, now);
        if (status != POPSGD_OK) return status;
        quiet = false;
      }
    }
  }
  return status;
}

// A step each, then the exchange, which must leave the sum of both models as it was.
static popsgd_status learn(popsgd_time now, double* drift) {
  double before[PARAMETERS];
  popsgd_status status;
  for (int who = 0; who < 2; ++who) {
    status = popsgd_agent_step(devices[who].agent, NULL);
    if (status != POPSGD_OK) return status;
  }
  for (int k = 0; k < PARAMETERS; ++k) before[k] = (double)devices[0].model[k] + (double)devices[1].model[k];
  status = meet(now);
  for (int k = 0; k < PARAMETERS; ++k) {
    const double after = (double)devices[0].model[k] + (double)devices[1].model[k];
    *drift = fmax(*drift, fabs(after - before[k]));
  }
  return status;
}

// Saves the first device, lets it forget everything, and restores it.
static popsgd_status lose_power(const popsgd_store* store, popsgd_time now) {
  float before[PARAMETERS];
  popsgd_status status = popsgd_agent_save(devices[0].agent, store);
  memcpy(before, devices[0].model, sizeof before);
  if (status == POPSGD_OK) status = start(&devices[0]);
  if (status == POPSGD_OK) status = popsgd_agent_restore(devices[0].agent, store, now);
  if (status == POPSGD_OK && memcmp(before, devices[0].model, sizeof before) != 0)
    status = POPSGD_CHECKPOINT_CHANGED;
  return status;
}

// The least squares solution of both devices' samples, by its closed form.
static void solve(double solution[PARAMETERS]) {
  double x = 0, y = 0, xx = 0, xy = 0;
  const double n = 2 * SAMPLES;
  for (int k = 0; k < 2 * SAMPLES; ++k) {
    const device* self = &devices[k / SAMPLES];
    const double at = (double)self->x[k % SAMPLES], value = (double)self->y[k % SAMPLES];
    x += at, y += value, xx += at * at, xy += at * value;
  }
  solution[0] = (n * xy - x * y) / (n * xx - x * x);
  solution[1] = (y - solution[0] * x) / n;
}

static int failed(const char* what, popsgd_status status) {
  fprintf(stderr, "two_devices: %s: %s\n", what, popsgd_text(status));
  return 1;
}

int main(int count, char** arguments) {
  popsgd_store store;
  popsgd_metrics metrics;
  double solution[PARAMETERS], drift = 0, error = 0;
  popsgd_status status = open_store(&store, count > 1 ? arguments[1] : "two_devices.popsgd");
  if (status != POPSGD_OK) return failed("the checkpoint's file", status);
  for (int who = 0; who < 2; ++who) {
    measure(&devices[who], who == 0 ? -1.0F : 1.0F, (uint32_t)who);
    if ((status = start(&devices[who])) != POPSGD_OK) return failed("start", status);
  }
  for (popsgd_time round = 0; round < ROUNDS; ++round) {
    if ((status = learn(round, &drift)) != POPSGD_OK) return failed("learning", status);
    if (round == ROUNDS / 2 && (status = lose_power(&store, round)) != POPSGD_OK)
      return failed("checkpoint", status);
  }
  fclose(store.context);

  solve(solution);
  popsgd_agent_metrics(devices[1].agent, &metrics, sizeof metrics);
  printf("popsgd %s: %u exchanges\n", popsgd_version(), (unsigned)metrics.completed);
  for (int who = 0; who < 2; ++who) {
    const float* model = devices[who].model;
    printf("device %d: y = %.5f x %+.5f\n", who, (double)model[0], (double)model[1]);
    for (int k = 0; k < PARAMETERS; ++k) error = fmax(error, fabs((double)model[k] - solution[k]));
  }
  printf("exact:    y = %.5f x %+.5f   largest error %.1e, drift of the sum %.1e\n", solution[0], solution[1],
         error, drift);
  return metrics.completed == ROUNDS && error < 1e-5 && drift < 1e-6 ? 0 : 1;
}
