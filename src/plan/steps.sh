set -eu

usage() {
  cat <<'USAGE'
usage: sh FILE check                compare every bucket of this account with the plan; changes nothing
       sh FILE enable BUCKET ...    do what the plan says for these buckets, one after the other
       sh FILE enable --all         for every bucket to enable; name the others yourself, after reading why they are others
       sh FILE undo BUCKET ...      disable MFA delete, put back versioning and the saved lifecycle configuration
settings, from the environment:
       MFA_SERIAL        serial number of the root user's MFA device, or the ARN of a virtual one
       SAVE              folder for saved lifecycle configurations (default: this one)
       WAIT              seconds to wait until a change is seen (default: 60; on AWS it may take 15 minutes)
       SKIP_ROOT_CHECK   id of the account, for servers that have neither STS nor IAM; never on AWS
Needs the AWS CLI. It stops at the first surprise: 1 nothing more was done, 2 usage, 3 sent and not yet seen.
check stops at none: 1 something has changed, 3 nothing has, as far as could be read, and something is UNKNOWN.
USAGE
  exit 2
}

newline='
'

say() { printf '%s\n' "$*"; }

# doing: what was sent, until it was seen or refused.
stop() {
  printf 'STOP: %s\n' "$*" >&2
  if [ -n "${doing:-}" ]; then
    printf 'A request was sent, to %s, and what came of it was not seen: look %s\n' "$doing" "$look" >&2
    say_removed
    exit 3
  fi
  say_removed
  exit 1
}

look='(sh FILE check) before another code is sent or anything is undone'

say_removed() {
  [ -z "${removed:-}" ] ||
    printf 'The lifecycle configuration of %s is removed; it is saved in %s: sh FILE undo %s puts it back.\n' \
      "$removed" "$saved" "$removed" >&2
}

interrupted() {
  trap - INT TERM HUP
  if [ -n "${doing:-}" ]; then
    printf '\nSTOP: interrupted; a request was under way or is not yet seen, to %s: look what came of it %s\n' \
      "$doing" "$look" >&2
  else
    printf '\nSTOP: interrupted; no request to change anything was under way\n' >&2
  fi
  say_removed
  exit 130
}

rules_in_words() { if [ "$1" = 1 ]; then say '1 lifecycle rule'; else say "$1 lifecycle rules"; fi; }

# Words of others in one line or several, without what drives a terminal or is not seen: plain characters only.
plain_words() { LC_ALL=C tr -cd '\n -~'; }

# What the AWS CLI said.
cli_said() { plain_words <"$work/err" | sed -n '/./{s/^/  /;p;}' | tail -n 5; }

# What it reads, without the codes that were sent: a server may repeat them, and none goes to a file. Where one is there
# in pieces, without any digit.
without_codes() {
  text=$(cat && printf .)
  text=${text%.}
  for sent in $sent_codes; do
    rest=$text text=''
    while :; do
      case $rest in
        *"$sent"*) text=$text${rest%%"$sent"*}'<code>' rest=${rest#*"$sent"} ;;
        *) break ;;
      esac
    done
    text=$text$rest
    case $(printf '%s' "$text" | tr -cd '0-9') in
      *"$sent"*) text=$(printf '%s' "$text" | tr '0-9' '*') ;;
    esac
  done
  printf '%s' "$text"
}

# One request about the bucket of this turn; its output and its words go to files. Rules have to stay as they are.
ask() {
  operation=$1
  shift
  case $operation in get-bucket-versioning) filter=without_codes ;; *) filter='cat' ;; esac
  # Whatever ends it.
  echo 1 >"$work/status"
  {
    {
      if aws s3api "$operation" --bucket "$bucket" --expected-bucket-owner "$account" --region "$region" "$@" \
        2>&3 </dev/null
      then echo 0 >"$work/status"; fi
    } | "$filter" >"$work/out"
  } 3>&1 | without_codes >"$work/err"
  return "$(cat "$work/status")"
}

# Whether the last request failed because nothing is configured. Some servers send errors without words, at which the
# AWS CLI breaks off; asked again with --debug it shows their code.
is_absent() { # OPERATION CODE
  if grep -q "($2)" "$work/err"; then return 0; fi
  # What --debug says of the credentials goes to no file.
  told=$(
    aws s3api "$1" --bucket "$bucket" --expected-bucket-owner "$account" --region "$region" --debug \
      2>&1 >/dev/null </dev/null | sed -n "s|.*<Code>\($2\)</Code>.*|\1|p" | head -n 1
  )
  [ "$told" = "$2" ]
}

# What is no answer to go by: a check goes on with the next bucket, everything else stops.
unsure() {
  [ "$mode" = check ] || stop "$1"
  say "UNKNOWN  $bucket: $1"
  unknowns=yes
  return 1
}

unreadable() {
  cli_said >&2
  unsure "$1 of $bucket could not be read, so nothing can be said of it"
}

# Whether a request that failed has an answer of the service, and not one that something broke on the way. Of an answer
# without words the AWS CLI says only that it broke off.
is_answer() { # WHAT THE AWS CLI SAID
  case $1 in
    *"An error occurred (5"[0-9][0-9]")"* | *'An error occurred (Internal'*) return 1 ;;
    *'An error occurred (ServiceUnavailable)'* | *'An error occurred (BadGateway)'*) return 1 ;;
    *'An error occurred (GatewayTimeout)'*) return 1 ;;
    *'An error occurred ('* | *NoneType*) return 0 ;;
    *) return 1 ;;
  esac
}

is_answered() { is_answer "$(plain_words <"$work/err")"; }

# Status and MFA delete as the AWS CLI writes them; None is what was never configured.
read_state() {
  ask get-bucket-versioning --query '[Status,MFADelete]' --output text || {
    unreadable 'the versioning state'
    return 1
  }
  status='' mfa=''
  read -r status mfa <"$work/out" || :
  case "$status $mfa" in
    'None None' | Enabled\ None | Enabled\ Disabled | Enabled\ Enabled) ;;
    None\ Disabled | Suspended\ None | Suspended\ Disabled | Suspended\ Enabled) ;;
    *) unsure "the versioning state of $bucket is none that is documented: $(plain_words <"$work/out" | tr '\n' ' ')" ;;
  esac
}

# How many rules there are, and what they are in one line.
read_rules() {
  contents=''
  if ask get-bucket-lifecycle-configuration --query "$query" --output text; then
    rules=$(cut -f 1 "$work/out")
    contents=$(cut -f 2 "$work/out")
  elif is_absent get-bucket-lifecycle-configuration NoSuchLifecycleConfiguration; then
    rules=0
  else
    unreadable 'the lifecycle configuration'
    return 1
  fi
  case $rules in
    '' | *[!0-9]*) unsure "the number of lifecycle rules of $bucket is no number" ;;
  esac
}

read_lock() {
  if ask get-object-lock-configuration --query ObjectLockConfiguration.ObjectLockEnabled --output text; then
    lock=$(cat "$work/out")
  elif is_absent get-object-lock-configuration ObjectLockConfigurationNotFoundError; then
    lock=None
  else
    unreadable 'the Object Lock configuration'
    return 1
  fi
  case $lock in
    Enabled | None) ;;
    *) unsure "the Object Lock configuration of $bucket is none that is documented" ;;
  esac
}

# Dates without the time of day, which is always midnight and which every AWS CLI writes in its own way; and no ID where
# it looks like the number of the rule, which is what the plan calls rules without one.
plain() {
  printf '%s\n' "$1" | sed -e 's/T00:00:00[.0]*Z"/"/g' -e 's/T00:00:00+00:00"/"/g' \
    -e 's/\["#[0-9]*","Enabled",/[null,"Enabled",/g' -e 's/\["#[0-9]*","Disabled",/[null,"Disabled",/g'
}

# What is not as the plan knows it.
changes() {
  if [ "$status" != "$planned_status" ] || [ "$mfa" != "$planned_mfa" ]; then
    say "versioning $status and MFA delete $mfa, in the plan $planned_status and $planned_mfa"
  fi
  if [ "$rules" != "$planned_rules" ] && ! { [ "$rules" = 0 ] && [ -s "$saved" ]; }; then
    say "$(rules_in_words "$rules"), in the plan $planned_rules"
  elif [ "$rules" != 0 ] && [ -n "$planned_contents" ] && [ "$(plain "$contents")" != "$(plain "$planned_contents")" ]; then
    say 'its lifecycle rules are no longer those of the plan'
  fi
  if [ "$lock" = Enabled ] && [ "$planned_lock" != Enabled ]; then
    say 'Object Lock, beside which MFA delete is not documented; consider its default retention instead'
  fi
}

is_done() { [ "$status" = Enabled ] && [ "$mfa" = Enabled ] && [ "$rules" = 0 ]; }

check_bucket() {
  if ! { read_state && read_rules && read_lock; }; then return; fi
  found=$(changes)
  if is_done; then
    say "done     $bucket: MFA delete is enabled"
  elif [ -n "$found" ]; then
    say "CHANGED  $bucket: $found"
    surprised=yes
  else
    say "as known $bucket: versioning $status, MFA delete $mfa, $(rules_in_words "$rules") ($course)"
  fi
}

enable_bucket() {
  say "== $bucket"
  [ -z "$against" ] || say "$against"
  read_state
  read_rules
  read_lock
  if is_done; then
    say '  MFA delete is enabled already: nothing is to be done'
    return
  fi
  # By an earlier start.
  if [ "$planned_rules" != 0 ] && [ "$rules" = 0 ] && [ -s "$saved" ]; then removed=$bucket; fi
  found=$(changes)
  [ -z "$found" ] || stop "$bucket is not as it was when the plan was made: $found; scan again and make a new plan"
  if [ "$rules" != 0 ]; then
    save_rules
    remove_rules
  fi
  if [ "$status $mfa" != 'Enabled Enabled' ]; then
    change_state Enabled Enabled
  fi
  say "  confirmed: versioning $status, MFA delete $mfa, no lifecycle configuration"
}

save_rules() {
  # Without overwriting: what is there may be the only copy.
  if [ -s "$saved" ]; then
    ask get-bucket-lifecycle-configuration --query '{Rules: Rules}' --output json ||
      unreadable 'the lifecycle configuration'
    cmp -s "$work/out" "$saved" ||
      stop "$saved exists already, and is not what $bucket has now: move the file away first"
    say "  its lifecycle configuration ($(rules_in_words "$rules")) is saved already in $saved"
    return
  fi
  ask get-bucket-lifecycle-configuration --query TransitionDefaultMinimumObjectSize --output text ||
    unreadable 'the lifecycle configuration'
  cat "$work/out" >"$saved.minimum-size"
  ask get-bucket-lifecycle-configuration --query '{Rules: Rules}' --output json ||
    unreadable 'the lifecycle configuration'
  grep -q '"Rules": \[' "$work/out" || stop "the lifecycle configuration of $bucket is not what was expected"
  cat "$work/out" >"$saved"
  sync
  cmp -s "$work/out" "$saved" || stop "the lifecycle configuration could not be saved in $saved"
  say "  its lifecycle configuration ($(rules_in_words "$rules")) is saved in $saved"
}

remove_rules() {
  say '  what it does today:'
  say "$effects"
  say "  without it nothing of this happens any more; while MFA delete is enabled S3 takes no new one"
  printf '  Type the name of the bucket to remove its lifecycle configuration, anything else to stop: '
  answer=''
  read -r answer || :
  [ "$answer" = "$bucket" ] || stop "the lifecycle configuration of $bucket stays; nothing was changed"
  ask get-bucket-lifecycle-configuration --query '{Rules: Rules}' --output json ||
    unreadable 'the lifecycle configuration'
  cmp -s "$work/out" "$saved" || stop "the lifecycle configuration of $bucket has changed since it was saved in $saved"
  doing="remove the lifecycle configuration of $bucket, which is saved in $saved"
  ask delete-bucket-lifecycle || {
    cli_said >&2
    if is_answered; then doing=''; fi
    stop "the lifecycle configuration of $bucket could not be removed, as far as is known; it is saved in $saved"
  }
  removed=$bucket
  waited=0
  read_rules
  while [ "$rules" != 0 ]; do
    [ "$waited" -lt "$wait" ] || stop "the lifecycle configuration of $bucket was removed and is still seen: wait, then run this again"
    sleep 2
    waited=$((waited + 2))
    read_rules
  done
  doing=''
  say '  the lifecycle configuration is removed'
}

# Codes are read, so that none stands in a history. Each works once.
ask_code() { # WHAT FOR
  while :; do
    printf '  A code of %s, to %s: ' "$MFA_SERIAL" "$1"
    code=''
    read -r code || stop 'there is no further code; no code was sent for this bucket'
    case $code in
      "$last_code") say '  this code was sent already: wait for the next one' ;;
      *) if is_six_digits "$code"; then break; else say '  a code is 6 digits'; fi ;;
    esac
  done
  last_code=$code sent_codes="$sent_codes $code"
}

change_state() { # STATUS MFA-DELETE
  ask_code "set versioning $1 and MFA delete $2 on $bucket"
  # Sent once, because a code works once. While it is sent the list of processes of this machine shows it. What is
  # answered may repeat the code.
  doing="set versioning $1 and MFA delete $2 on $bucket"
  words=$(
    AWS_MAX_ATTEMPTS=1
    export AWS_MAX_ATTEMPTS
    {
      if aws s3api put-bucket-versioning --bucket "$bucket" --expected-bucket-owner "$account" --region "$region" \
        --versioning-configuration "Status=$1,MFADelete=$2" --mfa "$MFA_SERIAL $code" 2>&1 >/dev/null </dev/null
      then printf '\naccepted'; else printf '\nlost'; fi
    } | plain_words | without_codes
  )
  # Its last line.
  answer=${words##*"$newline"}
  words=${words%"$newline"*}
  if [ "$answer" = lost ] && is_answer "$words"; then answer=refused; fi
  printf '%s\n' "$words" >"$work/err"
  cli_said >"$work/answer"
  waited=0
  read_state
  # What is read decides, not what the command said: an answer can be lost.
  while [ "$status $mfa" != "$1 $2" ]; do
    if [ "$answer" = refused ] && [ "$waited" -ge 4 ]; then break; fi
    if [ "$waited" -ge "$wait" ]; then break; fi
    sleep 2
    waited=$((waited + 2))
    read_state
  done
  if [ "$status $mfa" = "$1 $2" ]; then
    doing=''
    return
  fi
  cat "$work/answer" >&2
  case $answer in
    refused)
      doing=''
      stop "versioning of $bucket is $status and MFA delete $mfa: the request was refused, or its code was wrong or late. Nothing was changed by it, as far as can be read"
      ;;
    accepted) stop "the request for $bucket was accepted and is not yet seen" ;;
    lost) stop "no answer to the request for $bucket: it may have been done" ;;
  esac
}

undo_bucket() {
  say "== $bucket"
  read_state
  old_status=Suspended old_mfa=Disabled
  if [ "$planned_status" = Enabled ]; then old_status=Enabled; fi
  if [ "$planned_mfa" = Enabled ]; then old_mfa=Enabled; fi
  if [ "$mfa" = Enabled ] && [ "$status $mfa" != "$old_status $old_mfa" ]; then
    change_state "$old_status" "$old_mfa"
  fi
  say "  confirmed: versioning $status, MFA delete $mfa"
  if [ "$planned_status" = None ] && [ "$status" != None ]; then
    say '  versioning was never enabled before; it cannot be removed again, only suspended'
  fi
  [ "$planned_rules" != 0 ] || return 0
  read_rules
  if [ "$rules" != 0 ]; then
    say "  it has a lifecycle configuration ($(rules_in_words "$rules")): it is left as it is"
    return
  fi
  [ -s "$saved" ] || stop "the lifecycle configuration of $bucket should be saved in $saved, and is not there"
  smallest=None
  if [ -s "$saved.minimum-size" ]; then smallest=$(cat "$saved.minimum-size"); fi
  if [ "$smallest" = None ]; then set --; else set -- --transition-default-minimum-object-size "$smallest"; fi
  doing="put back the lifecycle configuration of $bucket from $saved"
  ask put-bucket-lifecycle-configuration --lifecycle-configuration "file://$saved" "$@" || {
    cli_said >&2
    if is_answered; then doing=''; fi
    stop "the lifecycle configuration of $bucket could not be put back, as far as is known; it is in $saved"
  }
  waited=0
  read_rules
  while [ "$rules" != "$planned_rules" ]; do
    [ "$waited" -lt "$wait" ] || stop "$bucket shows $(rules_in_words "$rules") where $planned_rules were put back"
    sleep 2
    waited=$((waited + 2))
    read_rules
  done
  doing=''
  say "  its lifecycle configuration ($(rules_in_words "$rules")) is back"
}

# Whose credentials these are. Sets account.
check_caller() {
  if [ -n "${SKIP_ROOT_CHECK-}" ]; then
    [ -n "${AWS_ENDPOINT_URL-}${AWS_ENDPOINT_URL_S3-}" ] ||
      stop 'SKIP_ROOT_CHECK is for servers other than AWS, and neither AWS_ENDPOINT_URL nor AWS_ENDPOINT_URL_S3 is set'
    account=$SKIP_ROOT_CHECK
    say "not checked (SKIP_ROOT_CHECK): whose credentials these are, the root user's MFA device and access keys"
    return
  fi
  who=$(aws sts get-caller-identity --region "$home_region" --query '[Account,Arn]' --output text) ||
    stop 'STS does not say whose credentials these are; for a server without STS and IAM set SKIP_ROOT_CHECK=ACCOUNT'
  account=$(printf '%s' "$who" | cut -f 1)
  arn=$(printf '%s' "$who" | cut -f 2 | plain_words | tr '\n' ' ' | sed 's/ *$//')
  if [ "$partition" = aws-cn ]; then
    [ -z "${AWS_SESSION_TOKEN-}" ] || [ "$mode" = check ] ||
      stop 'AWS_SESSION_TOKEN is set: these are temporary credentials, with which S3 takes no code'
    say "these are the credentials of $arn. The AWS China Regions have no root user, and AWS does not document whether MFA delete can be enabled there: ask an administrator or AWS Support first"
    return
  fi
  if [ "$arn" != "arn:$partition:iam::$account:root" ]; then
    [ "$mode" = check ] || stop "these are the credentials of $arn: only the root user of the account can change MFA delete, with long-term access keys"
    say "these are the credentials of $arn: enough to check, but only the root user can go on"
    return
  fi
  if [ -n "${AWS_SESSION_TOKEN-}" ]; then
    stop 'AWS_SESSION_TOKEN is set: these are temporary credentials, with which S3 takes no code. Use long-term access keys of the root user, not CloudShell'
  fi
  summary=$(aws iam get-account-summary --region "$home_region" --output text \
    --query 'SummaryMap.[AccountMFAEnabled,AccountAccessKeysPresent]') ||
    stop "IAM does not say whether the root user of $account has an MFA device; for a server without IAM set SKIP_ROOT_CHECK=ACCOUNT"
  case $summary in
    0*) stop "the root user of $account has no MFA device: assign one first" ;;
    1*0) stop "the root user of $account has no access keys, so these are temporary credentials" ;;
    1*) say "root user of $account, with an MFA device; its access keys are to be deleted afterwards" ;;
    *) stop "IAM's account summary is not what was expected" ;;
  esac
}

# A bucket of the plan. What is said before it belongs to it.
turn() { # BUCKET REGION STATUS MFA-DELETE RULES OBJECT-LOCK COURSE FILE CONTENTS
  bucket=$1 region=$2 planned_status=$3 planned_mfa=$4 planned_rules=$5 planned_lock=$6 course=$7
  saved=$save/$8 planned_contents=$9 removed='' doing=''
  case "$chosen" in
    *"/$bucket/"*) is_chosen=yes ;;
    *) is_chosen=no ;;
  esac
  if [ "$all" = yes ] && [ "$course" = enable ]; then is_chosen=yes; fi
  case $mode in
    find) if [ "$is_chosen" = yes ]; then met="$met/$bucket/"; fi ;;
    check) if [ "$is_chosen" = yes ] || [ "$chosen$all" = no ]; then check_bucket; fi ;;
    enable) if [ "$is_chosen" = yes ]; then enable_bucket; fi ;;
    undo) if [ "$is_chosen" = yes ]; then undo_bucket; fi ;;
  esac
  effects='' against=''
}

# A line of what the lifecycle configuration of the next bucket does.
says() {
  effects="$effects${effects:+
}    $1"
}

# Why MFA delete is the wrong tool for the next bucket, or what is better.
unlike() {
  against="$against${against:+
}  $1"
}

# What this plan does not know.
unknown() {
  [ "$mode" = check ] || return 0
  say "UNKNOWN  $1"
  # Who names buckets asks for those.
  if [ "$chosen$all" = no ]; then unknowns=yes; fi
}

is_six_digits() { case $1 in [0-9][0-9][0-9][0-9][0-9][0-9]) return 0 ;; *) return 1 ;; esac; }

# Servers other than AWS may have devices of other accounts, and serials that are no ARN.
check_serial() {
  case ${MFA_SERIAL-} in
    '' | *[!A-Za-z0-9_+=/:,.@-]*)
      if [ "$partition" = aws-cn ]; then device=NAME; else device=root-account-mfa-device; fi
      stop "set MFA_SERIAL to the serial number of the MFA device or its ARN, for example arn:$partition:iam::$account:mfa/$device"
      ;;
    *:u2f/*) stop "$MFA_SERIAL is a security key, which gives no codes" ;;
    arn:?*:iam::?*:mfa/?*) ;;
    arn:*) stop "$MFA_SERIAL is no MFA device: its ARN is arn:$partition:iam::$account:mfa/NAME" ;;
  esac
  if is_six_digits "$MFA_SERIAL"; then stop 'MFA_SERIAL: this looks like a code, not a serial; codes are asked for'; fi
  [ -z "${SKIP_ROOT_CHECK-}" ] || return 0
  case $MFA_SERIAL in
    arn:"$partition":iam::"$account":mfa/*) ;;
    arn:"$partition":*) stop "$MFA_SERIAL is a device of another account: it must be one of $account" ;;
    arn:*) stop "$MFA_SERIAL is of another partition than the account, which is in $partition" ;;
  esac
}

main() {
  [ $# -gt 0 ] || usage
  mode=$1
  shift
  case $mode in
    check | enable | undo) ;;
    *) usage ;;
  esac
  chosen='' all=no effects='' against='' met='' surprised=no unknowns=no last_code='none yet' sent_codes=''
  for name; do
    case $name in
      --all) all=yes ;;
      '' | -* | *[!A-Za-z0-9._-]*) usage ;;
      *) chosen="$chosen/$name/" ;;
    esac
  done
  if [ "$mode" != check ] && [ "$chosen$all" = no ]; then usage; fi
  if [ "$mode" = undo ] && [ "$all" = yes ]; then usage; fi
  wait=${WAIT:-60}
  case $wait in *[!0-9]*) usage ;; esac
  save=${SAVE:-.}
  command -v aws >/dev/null || stop 'the AWS CLI (aws) is not installed'
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  trap interrupted INT TERM HUP
  export AWS_PAGER=''
  check_caller
  case $account in
    *[!0-9]* | '') stop 'an account id has 12 digits' ;;
  esac
  command -v "plan_$account" >/dev/null || stop "this plan has nothing to do in account $account"
  # Every name is looked up before the first bucket is touched.
  wanted=$mode mode=find
  "plan_$account"
  for name; do
    case "$name$met" in
      --all*) ;;
      *"/$name/"*) ;;
      *) stop "the plan has no steps for $name in account $account" ;;
    esac
  done
  mode=$wanted
  if [ "$mode" != check ]; then
    check_serial
    # With it the AWS CLI writes its arguments to a file.
    if [ "$(aws configure get cli_history 2>/dev/null)" = enabled ]; then
      stop 'cli_history is enabled, so the AWS CLI would write the code to a file: disable it (aws configure set cli_history disabled)'
    fi
    if [ ! -d "$save" ] || [ ! -w "$save" ]; then stop "$save (SAVE) is no folder that can be written"; fi
  fi
  "plan_$account"
  if [ "$surprised" = yes ]; then stop 'something is not as it was when the plan was made: scan again and make a new plan'; fi
  if [ "$unknowns" = yes ]; then
    printf 'UNKNOWN: not everything could be read, so of that nothing can be said\n' >&2
    exit 3
  fi
  if [ "$mode" != check ] && [ -z "${SKIP_ROOT_CHECK-}" ] && [ "$partition" != aws-cn ]; then
    say "Delete the access key of the root user now (Security Hub IAM.4 and CIS want none): aws iam delete-access-key --access-key-id KEY"
  fi
}
