// popsgd for C: an ABI over the objects of the C++ headers, for C99 and later.
//
//     popsgd_agent_config config;
//     popsgd_agent_config_init(&config, sizeof config);        // defaults
//     popsgd_draw_seed(&entropy, &config.seed);
//     popsgd_agent_init_float(&agent, &config, &learner, memory, sizeof memory, now);
//     popsgd_agent_add_peer(agent, 1, 1200, false);
//
//     popsgd_agent_step(agent, &loss);                                    // whenever there is time to learn
//     popsgd_agent_receive(agent, from, frame, size, now);                // whenever a frame has come
//     while (popsgd_agent_send(agent, frame, sizeof frame, now, &out) == POPSGD_OK && out.size > 0) transmit(...);
//     ... wait for a frame, or until popsgd_agent_deadline(agent, now)    // then send again
//
// All memory is the caller's. Nothing opens a socket, reads a clock, starts a thread or allocates. Every function checks what it
// is given as far as that can be told, null pointers included, and answers with a status. What a model, a store or an entropy
// source is, the caller says by functions, each with a context that is handed to it.
//
// One object file a group: a program links what it calls, e.g. of the kinds of models its own.
#pragma once

// NOLINTBEGIN: C
#include <popsgd/c/agent.h>
#include <popsgd/c/config.h>
#include <popsgd/c/fixed.h>
#include <popsgd/c/fixed_network.h>
#include <popsgd/c/gradient.h>
#include <popsgd/c/network.h>
#include <popsgd/c/random.h>
#include <popsgd/c/status.h>
#include <popsgd/c/store.h>
#include <popsgd/version.h>
// NOLINTEND
