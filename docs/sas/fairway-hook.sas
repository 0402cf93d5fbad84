/*
 * Tells Fairway that a champion was decided on, signed by HMAC-SHA256 (SAS 9.4M6 or later, SAS Viya 3.5 or later).
 * A job of SAS Job Execution: parameters projectId, modelId, modelVersionName, decision; see README.md.
 * Answers {"status":"202"} when Fairway has taken it, else the status that it has given; "0" is no answer.
 */
%let fairway_url    = https://fairway.example.com;
%let fairway_key    = sas;                          /* name of the credential in WRITER_CREDENTIALS */
%let fairway_secret = /opt/sas/fairway/hook-secret; /* file with its secret alone, readable by the account of the jobs alone */

/* The secret goes through no macro variable and into no log. */
options nosource nomprint nosymbolgen nomlogic;

%global projectId modelId modelVersionName decision;

%macro fairway_hook;
  %local target try invalid timestamp nonce signature status;
  %let target = /v1/hooks/sas;
  %let status = 0;
  %let invalid = 0;

  filename fwbody temp recfm=n;
  filename fwanswer temp;

  %do try = 1 %to 3;
    /* A fresh time and nonce for each try: Fairway takes a nonce once, and a time at most 300 s off. */
    data _null_;
      length projectId modelId modelVersionName decision $200 secret $500 body $2000 message $4000 hash hmac $64 nonce $36;
      infile "&fairway_secret." truncover;
      input secret $char500.;
      projectId        = symget('projectId');
      modelId          = symget('modelId');
      modelVersionName = symget('modelVersionName');
      decision         = symget('decision');
      /* Nothing else belongs into JSON by concatenation. */
      array words {*} projectId modelId modelVersionName decision;
      do i = 1 to dim(words);
        if not prxmatch('/^[A-Za-z0-9._-]*$/', trim(words{i})) then do;
          put 'ERROR: A parameter of fairway-hook holds more than letters, digits, dots, hyphens and underscores.';
          call symputx('invalid', '1', 'L');
          stop;
        end;
      end;
      body = cats('{"type":"approval","projectId":"', projectId, '","modelId":"', modelId,
                  '","modelVersionName":"', modelVersionName, '","decision":"', decision, '"}');
      file fwbody;
      bytes = lengthn(body);
      put body $varying2000. bytes;
      /* TRIM: a character value of SAS ends in blanks, which would be signed as well. */
      hash      = lowcase(hashing('sha256', trim(body)));
      timestamp = int(datetime() - tzoneoff() - '01jan1970:00:00:00'dt);
      nonce     = compress(uuidgen(), '-');
      message   = catx('0A'x, 'POST', "&target.", put(timestamp, 10.), nonce, hash);
      hmac      = lowcase(hashing_hmac('sha256', trim(secret), trim(message)));
      call symputx('timestamp', put(timestamp, 10.), 'L');
      call symputx('nonce', nonce, 'L');
      call symputx('signature', cats('v1=', hmac), 'L');
    run;

    %if &invalid. = 1 %then %do;
      %let status = 400;
      %goto told;
    %end;

    %let SYS_PROCHTTP_STATUS_CODE = 0;
    proc http url="&fairway_url.&target." method="POST" in=fwbody out=fwanswer ct="application/json" timeout=30;
      headers "Accept"              = "application/json"
              "x-fairway-key"       = "&fairway_key."
              "x-fairway-timestamp" = "&timestamp."
              "x-fairway-nonce"     = "&nonce."
              "x-fairway-signature" = "&signature.";
    run;
    %let status = &SYS_PROCHTTP_STATUS_CODE.;

    /* Busy, or not there for a moment; everything else is final. */
    %if not (&status. = 0 or &status. = 429 or &status. >= 500) %then %goto told;
    %if &try. < 3 %then %do;
      data _null_;
        rest = sleep(5 * &try., 1);
      run;
    %end;
  %end;

  %told:
  filename _webout filesrvc parenturi="&SYS_JES_JOB_URI." name='_webout.json' contenttype='application/json';
  data _null_;
    file _webout;
    put "{""status"":""&status.""}";
  run;
%mend fairway_hook;

%fairway_hook
